/*
 * oo7_paos.c - OO7's traversals by the C client, written as a program would write
 * them: from object to object, as if all were in memory.
 *
 * A recursion holds what it stands on, so that it stays valid while others load.  The one
 * thing that says anything of loading is the list of what an operation follows, which it
 * may state when it begins: as SQL by hand names its tables, and a mapper its strategy.
 */
#include "bench.h"
#include "oo7.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- objects that must be there ---- */

paos_object *oo7_paos_ref(const oo7_paos *w, paos_object *object, const paos_attribute *at)
{
    paos_object *target = paos_object_ref_at(object, at);

    if (!target)
        die("OO7: a reference leads nowhere: %s", paos_conn_error(w->conn)->message);
    return target;
}

static paos_object *item(const oo7_paos *w, paos_object *object, const paos_attribute *at, size_t i)
{
    paos_object *target = paos_object_ref_item_at(object, at, i);

    if (!target)
        die("OO7: one of some references leads nowhere: %s", paos_conn_error(w->conn)->message);
    return target;
}

paos_list *oo7_paos_refs(const oo7_paos *w, paos_object *object, const paos_attribute *at)
{
    paos_list *list = NULL;

    check(w->conn, paos_object_refs_at(object, at, &list));
    return list;
}

paos_list *oo7_paos_get(oo7_paos *w, const char *class_name, const char *query,
                        const paos_value *args, size_t nargs)
{
    paos_list *list = NULL;

    check(w->conn,
          paos_get_with(w->conn, PAOS_READ, class_name, query, args, nargs, &w->options, &list));
    return list;
}

/* ---- what is done with an atomic part ---- */

static int32_t read_int(paos_object *object, const paos_attribute *at)
{
    return (int32_t) paos_object_int_at(object, at);
}

void oo7_paos_look(oo7_paos *w, paos_object *part, bool first)
{
    (void) first;
    oo_touch(&w->tally, read_int(part, w->atomic_part_id), read_int(part, w->atomic_part_x),
             read_int(part, w->atomic_part_y));
}

static void swap(oo7_paos *w, paos_object *part)
{
    int32_t x = read_int(part, w->atomic_part_x), y = read_int(part, w->atomic_part_y);

    check(w->conn, paos_object_set_at(part, w->atomic_part_x, paos_int(y)));
    check(w->conn, paos_object_set_at(part, w->atomic_part_y, paos_int(x)));
    oo_touch(&w->tally, read_int(part, w->atomic_part_id), y, x);
}

static void swap_first(oo7_paos *w, paos_object *part, bool first)
{
    if (first)
        swap(w, part);
}

static void swap_each(oo7_paos *w, paos_object *part, bool first)
{
    (void) first;
    swap(w, part);
}

static void swap_each_4_times(oo7_paos *w, paos_object *part, bool first)
{
    (void) first;
    for (int i = 0; i < 4; i++)
        swap(w, part);
}

static void redate(oo7_paos *w, paos_object *part)
{
    int32_t date = read_int(part, w->atomic_part_build_date);

    date += date % 2 ? 1 : -1;
    check(w->conn, paos_object_set_at(part, w->atomic_part_build_date, paos_int(date)));
    oo_touch(&w->tally, read_int(part, w->atomic_part_id), date, 0);
}

static void redate_first(oo7_paos *w, paos_object *part, bool first)
{
    if (first)
        redate(w, part);
}

static void redate_each(oo7_paos *w, paos_object *part, bool first)
{
    (void) first;
    redate(w, part);
}

static void redate_each_4_times(oo7_paos *w, paos_object *part, bool first)
{
    (void) first;
    for (int i = 0; i < 4; i++)
        redate(w, part);
}

/* ---- the walk ---- */

static void grow_visited(oo7_paos *w, size_t key)
{
    size_t size = 2 * key + 64;

    w->visited = realloc(w->visited, size * sizeof *w->visited);
    if (!w->visited)
        die("out of memory");
    memset(w->visited + w->visited_size, 0, (size - w->visited_size) * sizeof *w->visited);
    w->visited_size = size;
}

/* Is it the first time in this walk? */
static inline bool enter(oo7_paos *w, const paos_object *part)
{
    size_t key = (size_t) (paos_object_id(part) & (((paos_id) 1 << 48) - 1));

    if (key >= w->visited_size)
        grow_visited(w, key);
    if (w->visited[key] == w->walk)
        return false;
    w->visited[key] = w->walk;
    return true;
}

/* A part that was just entered. */
static void walk_parts(oo7_paos *w, paos_object *part, bool first)
{
    paos_object *connections[OO7_CONNECTIONS_MAX];
    size_t n;

    w->visit(w, part, first);
    /* What is got from it stays good for as long as it is held. */
    paos_object_hold(part);
    n = paos_object_ref_items_at(part, w->atomic_part_outgoing, connections, OO7_CONNECTIONS_MAX);
    for (size_t i = 0; i < n; i++)
    {
        paos_object *target = oo7_paos_ref(w, connections[i], w->connection_target);

        if (enter(w, target))
            walk_parts(w, target, false);
    }
    paos_object_release(part);
}

static void walk_composite(oo7_paos *w, paos_object *composite)
{
    paos_object *root = oo7_paos_ref(w, composite, w->composite_part_root_part);

    w->walk++;
    if (enter(w, root))
        walk_parts(w, root, true);
}

static void visit_root(oo7_paos *w, paos_object *composite)
{
    w->visit(w, oo7_paos_ref(w, composite, w->composite_part_root_part), true);
}

static const char *read_text(oo7_paos *w, paos_object *object, const paos_attribute *at)
{
    const char *text = paos_object_text_at(object, at);

    if (!text)
        die("OO7: no text: %s", paos_conn_error(w->conn)->message);
    return text;
}

static void count_in_text(oo7_paos *w, paos_object *composite)
{
    paos_object *document = oo7_paos_ref(w, composite, w->composite_part_documentation);

    w->tally.count += oo7_count_letter(read_text(w, document, w->document_text), 'I');
    w->tally.sum += paos_object_int_at(composite, w->composite_part_id);
}

static void change_text(oo7_paos *w, paos_object *composite, const char *from, const char *to)
{
    paos_object *document = oo7_paos_ref(w, composite, w->composite_part_documentation);
    const char *text = read_text(w, document, w->document_text);
    char *changed;

    if (strncmp(text, from, strlen(from)) != 0)
        return;
    if (asprintf(&changed, "%s%s", to, text + strlen(from)) < 0)
        die("out of memory");
    check(w->conn, paos_object_set_at(document, w->document_text, paos_text(changed)));
    free(changed);
    w->tally.count++;
    w->tally.sum += paos_object_int_at(composite, w->composite_part_id);
}

static void say_this_is(oo7_paos *w, paos_object *composite)
{
    change_text(w, composite, "I am", "This is");
}

static void say_i_am(oo7_paos *w, paos_object *composite)
{
    change_text(w, composite, "This is", "I am");
}

typedef void (*composite_visitor)(oo7_paos *w, paos_object *composite);

static void walk_base(oo7_paos *w, paos_object *base, composite_visitor visit)
{
    size_t n = paos_object_ref_count_at(base, w->base_assembly_components_priv);

    paos_object_hold(base);
    for (size_t i = 0; i < n; i++)
        visit(w, item(w, base, w->base_assembly_components_priv, i));
    paos_object_release(base);
}

static void walk_assembly(oo7_paos *w, paos_object *complex, int level, composite_visitor visit)
{
    size_t n = paos_object_ref_count_at(complex, w->complex_assembly_sub_assemblies);

    paos_object_hold(complex);
    for (size_t i = 0; i < n; i++)
    {
        paos_object *below = item(w, complex, w->complex_assembly_sub_assemblies, i);

        if (level + 1 == w->graph->config->levels)
            walk_base(w, below, visit);
        else
            walk_assembly(w, below, level + 1, visit);
    }
    paos_object_release(complex);
}

/* The library's one module, owned: looked for once, then known by its name. */
static paos_object *get_module(oo7_paos *w)
{
    paos_object *module = NULL;
    paos_list *modules;

    if (w->module)
    {
        check(w->conn, paos_fetch_with(w->conn, w->module, &w->options, &module));
        return module;
    }
    modules = oo7_paos_get(w, "oo7.module", NULL, NULL, 0);
    module = paos_object_hold(paos_list_at(modules, 0));
    w->module = paos_object_id(module);
    paos_list_free(modules);
    return module;
}

static void traverse(oo7_paos *w, composite_visitor visit)
{
    paos_object *module = get_module(w);

    walk_assembly(w, oo7_paos_ref(w, module, w->module_design_root), 1, visit);
    paos_object_release(module);
}

/* ---- up, and the manual ---- */

static void count_once(oo7_paos *w, char *seen, int64_t id)
{
    w->tally.count += !seen[id];
    seen[id] = 1;
}

/* T7: all assemblies above an atomic part, each once. */
static void climb(oo7_paos *w)
{
    const paos_value start = paos_int(w->graph->start);
    paos_list *parts = oo7_paos_get(w, "oo7.atomic_part", "id == $1", &start, 1);
    paos_object *composite = oo7_paos_ref(w, paos_list_at(parts, 0), w->atomic_part_part_of);
    paos_list *bases = oo7_paos_refs(w, composite, w->composite_part_used_in_priv);
    char seen[4096] = {0};

    for (size_t i = 0; i < paos_list_size(bases); i++)
    {
        paos_object *base = paos_list_at(bases, i);
        paos_object *at = paos_object_ref_at(base, w->base_assembly_super);

        count_once(w, seen, paos_object_int_at(base, w->base_assembly_id));
        for (; at; at = paos_object_ref_at(at, w->complex_assembly_super))
            count_once(w, seen, paos_object_int_at(at, w->complex_assembly_id));
    }
    paos_list_free(bases);
    paos_list_free(parts);
}

static void read_manual(oo7_paos *w, oo7_operation operation)
{
    paos_object *module = get_module(w);
    paos_object *manual = oo7_paos_ref(w, module, w->module_manual);
    const char *text = read_text(w, manual, w->manual_text);

    w->tally.count =
        operation == OO7_T8 ? oo7_count_letter(text, 'I') : text[0] == text[strlen(text) - 1];
    paos_object_release(module);
}

/* ---- all operations ---- */

#define TREE "design_root", "sub_assemblies", "components_priv"

/* What an operation follows, from wherever it begins. */
static const char *const *followed_by(oo7_operation operation)
{
    static const char *const parts[] = {TREE, "root_part", "outgoing", "target", NULL};
    static const char *const documents[] = {TREE, "documentation", NULL};
    static const char *const roots[] = {TREE, "root_part", NULL};
    static const char *const upwards[] = {"part_of", "used_in_priv", "super", NULL};
    static const char *const manual[] = {"manual", NULL};
    static const char *const users[] = {"part", "used_in_priv", NULL};
    static const char *const components[] = {"components_priv", NULL};
    static const char *const deleted[] = {"used_in_priv", "documentation", "outgoing", NULL};
    static const char *const *const all[OO7_OPERATION_COUNT] = {
        [OO7_T1] = parts,      [OO7_T2A] = parts,         [OO7_T2B] = parts,
        [OO7_T2C] = parts,     [OO7_T3A] = parts,         [OO7_T3B] = parts,
        [OO7_T3C] = parts,     [OO7_T4] = documents,      [OO7_T5_DO] = documents,
        [OO7_T6] = roots,      [OO7_T5_UNDO] = documents, [OO7_T7] = upwards,
        [OO7_T8] = manual,     [OO7_T9] = manual,         [OO7_CU] = parts,
        [OO7_Q5] = components, [OO7_Q4] = users,          [OO7_SM2] = deleted,
    };

    return all[operation];
}

bool oo7_paos_states(oo7_operation operation)
{
    return followed_by(operation) != NULL;
}

static void run_traversal(oo7_paos *w, oo7_operation operation)
{
    static void (*const visitors[])(oo7_paos *, paos_object *, bool) = {
        [OO7_T1] = oo7_paos_look,        [OO7_T2A] = swap_first,   [OO7_T2B] = swap_each,
        [OO7_T2C] = swap_each_4_times,   [OO7_T3A] = redate_first, [OO7_T3B] = redate_each,
        [OO7_T3C] = redate_each_4_times,
    };

    w->visit = visitors[operation];
    traverse(w, walk_composite);
}

/* CU: the update of what the traversal before it has cached, in the same transaction. */
static void run_cached_update(oo7_paos *w)
{
    run_traversal(w, OO7_T1);
    w->tally.count = w->tally.sum = 0;
    run_traversal(w, OO7_T2A);
}

static void run(oo7_paos *w, oo7_operation operation)
{
    switch (operation)
    {
        case OO7_T4:
            traverse(w, count_in_text);
            break;
        case OO7_T5_DO:
            traverse(w, say_this_is);
            break;
        case OO7_T5_UNDO:
            traverse(w, say_i_am);
            break;
        case OO7_T6:
            w->visit = oo7_paos_look;
            traverse(w, visit_root);
            break;
        case OO7_T7:
            climb(w);
            break;
        case OO7_T8:
        case OO7_T9:
            read_manual(w, operation);
            break;
        case OO7_CU:
            run_cached_update(w);
            break;
        case OO7_SM1:
            oo7_paos_insert(w);
            break;
        case OO7_SM2:
            oo7_paos_delete(w);
            break;
        default:
            if (operation < OO7_T4)
                run_traversal(w, operation);
            else
                oo7_paos_query(w, operation);
    }
}

oo_tally oo7_paos_run(oo7_paos *w, oo7_operation operation)
{
    memset(&w->tally, 0, sizeof w->tally);
    paos_conn_error_clear(w->conn);
    w->options.follow = w->stated ? followed_by(operation) : NULL;
    run(w, operation);
    if (oo7_writes[operation])
        check(w->conn, paos_commit(w->conn, NULL, 0));
    /* Reads that carry no status are checked once, here. */
    check(w->conn, paos_conn_error(w->conn)->status);
    return w->tally;
}

void oo7_paos_open(oo7_paos *w, paos_conn *conn, const oo7_graph *graph)
{
    memset(w, 0, sizeof *w);
    w->conn = conn;
    w->graph = graph;
    check(conn, paos_conn_set_cache(conn, 1000000));
#define OO7_FIND(class, name) w->class##_##name = paos_class_attribute(conn, "oo7." #class, #name);
    OO7_ATTRIBUTES(OO7_FIND)
#undef OO7_FIND
    check(conn, paos_conn_error(conn)->status);
}

void oo7_paos_close(oo7_paos *w)
{
    free(w->visited);
}
