/*
 * oo7_model.c - OO7's operations on the graph in plain C: the oracle of all other
 * ways, and what a traversal costs when there is neither a server nor a cache.
 */
#include "oo7.h"

#include <string.h>

typedef struct walk walk;
/* What a traversal does with each atomic part; `first`: it is the root of its graph. */
typedef void (*visitor)(walk *walk, oo7_part *part, bool first);

struct walk
{
    oo7_graph *graph;
    visitor visit;
    oo_tally tally;
};

int oo7_count_letter(const char *text, char letter)
{
    int n = 0;

    for (; *text; text++)
        n += *text == letter;
    return n;
}

/* ---- what is done with an atomic part ---- */

static void look(walk *w, oo7_part *part, bool first)
{
    (void) first;
    oo_touch(&w->tally, part->design.id, part->x, part->y);
}

static void swap(walk *w, oo7_part *part)
{
    int32_t x = part->x;

    part->x = part->y;
    part->y = x;
    oo_touch(&w->tally, part->design.id, part->x, part->y);
}

static void swap_first(walk *w, oo7_part *part, bool first)
{
    if (first)
        swap(w, part);
}

static void swap_each(walk *w, oo7_part *part, bool first)
{
    (void) first;
    swap(w, part);
}

static void swap_each_4_times(walk *w, oo7_part *part, bool first)
{
    (void) first;
    for (int i = 0; i < 4; i++)
        swap(w, part);
}

static void redate(walk *w, oo7_part *part)
{
    part->design.build_date += part->design.build_date % 2 ? 1 : -1;
    oo_touch(&w->tally, part->design.id, part->design.build_date, 0);
}

static void redate_first(walk *w, oo7_part *part, bool first)
{
    if (first)
        redate(w, part);
}

static void redate_each(walk *w, oo7_part *part, bool first)
{
    (void) first;
    redate(w, part);
}

static void redate_each_4_times(walk *w, oo7_part *part, bool first)
{
    (void) first;
    for (int i = 0; i < 4; i++)
        redate(w, part);
}

/* ---- traversals ---- */

static void walk_parts(walk *w, oo7_part *part, bool first)
{
    if (part->visited == w->graph->walk)
        return;
    part->visited = w->graph->walk;
    w->visit(w, part, first);
    for (int i = 0; i < w->graph->config->connections; i++)
        walk_parts(w, part->outgoing[i].target, false);
}

static void walk_composite(walk *w, oo7_composite *composite)
{
    w->graph->walk++;
    walk_parts(w, composite->root, true);
}

static void visit_root(walk *w, oo7_composite *composite)
{
    w->visit(w, composite->root, true);
}

static void count_in_text(walk *w, oo7_composite *composite)
{
    w->tally.count += oo7_count_letter(composite->text, 'I');
    w->tally.sum += composite->design.id;
}

/* Only the first time that a document is met. */
static void change_text(walk *w, oo7_composite *composite, const char *from, const char *to)
{
    size_t old = strlen(from), new = strlen(to);

    if (strncmp(composite->text, from, old) != 0)
        return;
    memmove(composite->text + new, composite->text + old, strlen(composite->text) - old + 1);
    memcpy(composite->text, to, new);
    w->tally.count++;
    w->tally.sum += composite->design.id;
}

static void say_this_is(walk *w, oo7_composite *composite)
{
    change_text(w, composite, "I am", "This is");
}

static void say_i_am(walk *w, oo7_composite *composite)
{
    change_text(w, composite, "This is", "I am");
}

static void walk_assembly(walk *w, const oo7_complex *complex,
                          void (*visit)(walk *, oo7_composite *))
{
    for (int i = 0; i < OO7_WIDTH; i++)
    {
        if (complex->complexes[i])
            walk_assembly(w, complex->complexes[i], visit);
        for (int k = 0; complex->bases[i] && k < OO7_WIDTH; k++)
            visit(w, complex->bases[i]->privates[k]);
    }
}

/* T7: all assemblies above an atomic part, each once. */
static void climb(walk *w)
{
    const oo7_composite *composite = w->graph->parts[w->graph->start - 1].part_of;
    char seen[4096] = {0};

    for (int i = 0; i < composite->users_size; i++)
    {
        const oo7_base *base = composite->users[i];

        w->tally.count += !seen[base->design.id];
        seen[base->design.id] = 1;
        for (const oo7_complex *at = base->super; at; at = at->super)
        {
            w->tally.count += !seen[at->design.id];
            seen[at->design.id] = 1;
        }
    }
}

/* ---- queries ---- */

static void look_up(walk *w)
{
    for (int i = 0; i < OO7_LOOKUPS; i++)
        look(w, &w->graph->parts[w->graph->lookups[i] - 1], false);
}

static void scan_dates(walk *w, int32_t from)
{
    for (int i = 0; i < w->graph->parts_size; i++)
        if (w->graph->parts[i].design.build_date >= from)
            look(w, &w->graph->parts[i], false);
}

static void find_users(walk *w)
{
    for (int i = 0; i < OO7_TITLES; i++)
    {
        const oo7_composite *composite = &w->graph->composites[w->graph->titles[i] - 1];

        w->tally.count += composite->users_size;
        for (int k = 0; k < composite->users_size; k++)
            w->tally.sum += composite->users[k]->design.id;
    }
}

static void find_outdated(walk *w)
{
    for (int i = 0; i < w->graph->bases_size; i++)
    {
        const oo7_base *base = &w->graph->bases[i];
        bool outdated = false;

        for (int k = 0; k < OO7_WIDTH; k++)
            outdated |= base->privates[k]->design.build_date > base->design.build_date;
        w->tally.count += outdated;
        w->tally.sum += outdated ? base->design.id : 0;
    }
}

static void join_documents(walk *w)
{
    for (int i = 0; i < w->graph->parts_size; i++)
        oo_touch(&w->tally, w->graph->parts[i].design.id, w->graph->parts[i].document, 0);
}

static void run_query(walk *w, oo7_operation operation)
{
    static void (*const queries[])(walk *) = {[OO7_Q1] = look_up,
                                              [OO7_Q4] = find_users,
                                              [OO7_Q5] = find_outdated,
                                              [OO7_Q8] = join_documents};
    int32_t from = oo7_first_date(operation);

    if (from >= 0)
        scan_dates(w, from);
    else
        queries[operation](w);
}

/* ---- all of them ---- */

static const visitor visitors[] = {
    [OO7_T1] = look,
    [OO7_T2A] = swap_first,
    [OO7_T2B] = swap_each,
    [OO7_T2C] = swap_each_4_times,
    [OO7_T3A] = redate_first,
    [OO7_T3B] = redate_each,
    [OO7_T3C] = redate_each_4_times,
    [OO7_T6] = look,
    [OO7_CU] = swap_first,
};

static void run_manual(walk *w, oo7_operation operation)
{
    const char *text = w->graph->manual;

    w->tally.count =
        operation == OO7_T8 ? oo7_count_letter(text, 'I') : text[0] == text[strlen(text) - 1];
}

/* SM1 and SM2: objects made or deleted, without the document of each composite part. */
static void run_structural(walk *w)
{
    const oo7_config *config = w->graph->config;

    w->tally.count =
        (int64_t) OO7_NEW_PARTS * (1 + config->atomic_parts * (1 + config->connections));
}

oo_tally oo7_model_run(oo7_graph *graph, oo7_operation operation)
{
    walk w = {.graph = graph};

    if (operation < sizeof visitors / sizeof *visitors)
        w.visit = visitors[operation];
    if (operation == OO7_T6)
        walk_assembly(&w, graph->complexes, visit_root);
    else if (w.visit)
        walk_assembly(&w, graph->complexes, walk_composite);
    else if (operation == OO7_T4)
        walk_assembly(&w, graph->complexes, count_in_text);
    else if (operation == OO7_T5_DO)
        walk_assembly(&w, graph->complexes, say_this_is);
    else if (operation == OO7_T5_UNDO)
        walk_assembly(&w, graph->complexes, say_i_am);
    else if (operation == OO7_T7)
        climb(&w);
    else if (operation == OO7_T8 || operation == OO7_T9)
        run_manual(&w, operation);
    else if (operation == OO7_SM1 || operation == OO7_SM2)
        run_structural(&w);
    else
        run_query(&w, operation);
    return w.tally;
}

/* ---- what the definition says ---- */

/* Times that a composite part is reached as a private component. */
static int64_t references(const oo7_config *config)
{
    int64_t n = OO7_WIDTH;

    for (int level = 1; level < config->levels; level++)
        n *= OO7_WIDTH;
    return n;
}

int64_t oo7_expected(const oo7_config *config, oo7_operation operation)
{
    static const struct
    {
        const char *name;
        int64_t in_documents, in_manual; /* letters I */
    } letters[] = {{"tiny", 108, 27}, {"small", 83106, 2632}, {"medium", 826686, 26316}};
    int64_t roots = references(config), parts = (int64_t) config->composites * config->atomic_parts;
    size_t i = 0;

    while (strcmp(letters[i].name, config->name) != 0)
        i++;
    switch (operation)
    {
        case OO7_T1:
        case OO7_T2B:
        case OO7_T3B:
            return roots * config->atomic_parts;
        case OO7_T2C:
        case OO7_T3C:
            return roots * config->atomic_parts * 4;
        case OO7_T2A:
        case OO7_T3A:
        case OO7_T6:
        case OO7_CU:
            return roots;
        case OO7_T4:
            return letters[i].in_documents;
        case OO7_T8:
            return letters[i].in_manual;
        case OO7_T9:
            return 0;
        case OO7_Q1:
            return OO7_LOOKUPS;
        case OO7_Q7:
        case OO7_Q8:
            return parts;
        default:
            return -1;
    }
}
