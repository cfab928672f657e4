/*
 * oo7_paos_query.c - OO7's queries by the C client.
 *
 * A query finds the objects of one class; what joins it to others is following
 * their references, which loads the targets of the whole answer at once.
 */
#include "bench.h"
#include "oo7.h"

#include <stdio.h>
#include <stdlib.h>

static void look_at_all(oo7_paos *w, paos_list *parts)
{
    for (size_t i = 0; i < paos_list_size(parts); i++)
        oo7_paos_look(w, paos_list_at(parts, i), false);
    paos_list_free(parts);
}

/* Q1: the ids are one question; one may have been drawn more than once. */
static void look_up(oo7_paos *w)
{
    char query[16 + 8 * OO7_LOOKUPS] = "id in (";
    paos_value ids[OO7_LOOKUPS];
    paos_list *parts;
    int size = 7;

    for (int i = 0; i < OO7_LOOKUPS; i++)
    {
        size += snprintf(query + size, sizeof query - (size_t) size, "%s$%d", i ? ", " : "", i + 1);
        ids[i] = paos_int(w->graph->lookups[i]);
    }
    snprintf(query + size, sizeof query - (size_t) size, ")");
    parts = oo7_paos_get(w, "oo7.atomic_part", query, ids, OO7_LOOKUPS);
    for (int i = 0; i < OO7_LOOKUPS; i++)
        for (size_t k = 0; k < paos_list_size(parts); k++)
            if (paos_object_int_at(paos_list_at(parts, k), w->atomic_part_id) == ids[i].as.integer)
                oo7_paos_look(w, paos_list_at(parts, k), false);
    paos_list_free(parts);
}

static void scan_dates(oo7_paos *w, int32_t from)
{
    const paos_value date = paos_int(from);

    /* From 0 on it is all of them. */
    look_at_all(w, oo7_paos_get(w, "oo7.atomic_part", from > 0 ? "build_date >= $1" : NULL, &date,
                                from > 0));
}

static void count_users(oo7_paos *w, paos_object *document, int times)
{
    paos_object *composite = oo7_paos_ref(w, document, w->document_part);
    paos_list *users = oo7_paos_refs(w, composite, w->composite_part_used_in_priv);

    w->tally.count += times * (int64_t) paos_list_size(users);
    for (size_t i = 0; i < paos_list_size(users); i++)
        w->tally.sum += times * paos_object_int_at(paos_list_at(users, i), w->base_assembly_id);
    paos_list_free(users);
}

/* Q4: the titles are one question; a document may have been drawn more than once. */
static void find_users(oo7_paos *w)
{
    int *times = calloc((size_t) w->graph->composites_size + 1, sizeof *times);
    char query[32 + 32 * OO7_TITLES] = "title in (";
    paos_list *documents;
    int size = 10;

    if (!times)
        die("out of memory");
    for (int i = 0; i < OO7_TITLES; i++)
    {
        size += snprintf(query + size, sizeof query - (size_t) size, "%s'" OO7_TITLE "'",
                         i ? ", " : "", (int) w->graph->titles[i]);
        times[w->graph->titles[i]]++;
    }
    snprintf(query + size, sizeof query - (size_t) size, ")");
    documents = oo7_paos_get(w, "oo7.document", query, NULL, 0);
    for (size_t i = 0; i < paos_list_size(documents); i++)
    {
        paos_object *document = paos_list_at(documents, i);

        count_users(w, document, times[paos_object_int_at(document, w->document_id)]);
    }
    paos_list_free(documents);
    free(times);
}

/* Q5: does an assembly use a private component that is younger than itself? */
static bool is_outdated(oo7_paos *w, paos_object *base)
{
    int64_t date = paos_object_int_at(base, w->base_assembly_build_date);
    paos_list *composites = oo7_paos_refs(w, base, w->base_assembly_components_priv);
    bool outdated = false;

    for (size_t i = 0; i < paos_list_size(composites); i++)
        outdated |=
            paos_object_int_at(paos_list_at(composites, i), w->composite_part_build_date) > date;
    paos_list_free(composites);
    return outdated;
}

static void find_outdated(oo7_paos *w)
{
    paos_list *bases = oo7_paos_get(w, "oo7.base_assembly", NULL, NULL, 0);

    for (size_t i = 0; i < paos_list_size(bases); i++)
    {
        paos_object *base = paos_list_at(bases, i);

        if (!is_outdated(w, base))
            continue;
        w->tally.count++;
        w->tally.sum += paos_object_int_at(base, w->base_assembly_id);
    }
    paos_list_free(bases);
}

/* Q8: a join by value, not by reference: both sides, and a table of the smaller one. */
static void join_documents(oo7_paos *w)
{
    paos_list *documents = oo7_paos_get(w, "oo7.document", NULL, NULL, 0);
    paos_list *parts = oo7_paos_get(w, "oo7.atomic_part", NULL, NULL, 0);
    int64_t size = 1 + w->graph->composites_size + OO7_NEW_PARTS;
    char *known = calloc((size_t) size, 1);

    if (!known)
        die("out of memory");
    for (size_t i = 0; i < paos_list_size(documents); i++)
    {
        int64_t id = paos_object_int_at(paos_list_at(documents, i), w->document_id);

        if (id < size)
            known[id] = 1;
    }
    for (size_t i = 0; i < paos_list_size(parts); i++)
    {
        paos_object *part = paos_list_at(parts, i);
        int64_t document = paos_object_int_at(part, w->atomic_part_document);

        if (document < size && known[document])
            oo_touch(&w->tally, (int32_t) paos_object_int_at(part, w->atomic_part_id),
                     (int32_t) document, 0);
    }
    paos_list_free(parts);
    paos_list_free(documents);
    free(known);
}

void oo7_paos_query(oo7_paos *w, oo7_operation operation)
{
    static void (*const queries[])(oo7_paos *) = {[OO7_Q1] = look_up,
                                                  [OO7_Q4] = find_users,
                                                  [OO7_Q5] = find_outdated,
                                                  [OO7_Q8] = join_documents};
    int32_t from = oo7_first_date(operation);

    if (from >= 0)
        scan_dates(w, from);
    else
        queries[operation](w);
}
