/*
 * oo7_paos_change.c - OO7's structural modifications by the C client: composite parts
 * are added to the library and taken out again.
 *
 * New objects refer to each other before any has an id: the commit settles that.
 */
#include "bench.h"
#include "oo7.h"

#include <stdio.h>
#include <stdlib.h>

static paos_object *make(const oo7_paos *w, const char *class_name)
{
    paos_object *object = NULL;

    check(w->conn, paos_object_new(w->conn, class_name, &object));
    return object;
}

static void set(const oo7_paos *w, paos_object *object, const char *attribute, paos_value value)
{
    check(w->conn, paos_object_set(object, attribute, value));
}

static void set_design(const oo7_paos *w, paos_object *object, int date)
{
    set(w, object, "type", paos_text("type000"));
    set(w, object, "build_date", paos_int(date));
}

/* ---- SM1 ---- */

/* The connections of one of a composite part's atomic parts; the first makes a ring. */
static void connect_part(oo7_paos *w, paos_object **parts, int i, uint64_t *seed)
{
    int size = w->graph->config->atomic_parts, n = w->graph->config->connections;
    paos_object *connections[16];
    paos_value refs[16];

    for (int k = 0; k < n; k++)
    {
        int target = k == 0 ? (i + 1) % size : oo_random(seed, size);

        connections[k] = make(w, "oo7.connection");
        set(w, connections[k], "type", paos_text("type000"));
        set(w, connections[k], "length", paos_int(oo_random(seed, 100000)));
        set(w, connections[k], "source", paos_ref(parts[i]));
        set(w, connections[k], "target", paos_ref(parts[target]));
        refs[k] = paos_ref(connections[k]);
    }
    set(w, parts[i], "outgoing", paos_array(refs, (size_t) n));
    for (int k = 0; k < n; k++)
        paos_object_release(connections[k]);
    w->tally.count += n;
}

static void make_parts(oo7_paos *w, paos_object *composite, uint64_t *seed)
{
    int size = w->graph->config->atomic_parts;
    paos_object **parts = malloc((size_t) size * sizeof *parts);

    if (!parts)
        die("out of memory");
    for (int i = 0; i < size; i++)
    {
        parts[i] = make(w, "oo7.atomic_part");
        set_design(w, parts[i], 1000 + oo_random(seed, 1000));
        set(w, parts[i], "x", paos_int(oo_random(seed, 100000)));
        set(w, parts[i], "y", paos_int(oo_random(seed, 100000)));
        set(w, parts[i], "document", paos_int(1 + oo_random(seed, w->graph->composites_size)));
        set(w, parts[i], "part_of", paos_ref(composite));
    }
    for (int i = 0; i < size; i++)
        connect_part(w, parts, i, seed);
    set(w, composite, "root_part", paos_ref(parts[0]));
    for (int i = 0; i < size; i++)
        paos_object_release(parts[i]);
    free(parts);
    w->tally.count += size;
}

static paos_object *make_composite(oo7_paos *w, int i, uint64_t *seed)
{
    paos_object *composite = make(w, "oo7.composite_part");
    paos_object *document = make(w, "oo7.document");
    char title[40];

    snprintf(title, sizeof title, "New " OO7_TITLE, i + 1);
    set(w, document, "title", paos_text(title));
    set(w, document, "text", paos_text("I am new."));
    set(w, document, "part", paos_ref(composite));
    set_design(w, composite, 2000);
    set(w, composite, "documentation", paos_ref(document));
    make_parts(w, composite, seed);
    paos_object_release(document);
    w->tally.count++;
    return composite;
}

/* Adds the target, at the end, to an array of references. */
static void add_ref(const oo7_paos *w, paos_object *object, const char *attribute,
                    const paos_object *target)
{
    paos_value old, items[256];
    size_t size = 0;

    check(w->conn, paos_object_get(object, attribute, &old));
    if (old.kind == PAOS_KIND_ARRAY)
        for (; size < old.as.array.size && size < 255; size++)
            items[size] = old.as.array.items[size];
    items[size++] = paos_ref(target);
    set(w, object, attribute, paos_array(items, size));
}

static paos_list *get_places(oo7_paos *w)
{
    char query[160] = "id in (";
    int size = 7;

    for (int i = 0; i < OO7_NEW_PLACES && w->graph->places[i]; i++)
        size += snprintf(query + size, sizeof query - (size_t) size, "%s%d", i ? ", " : "",
                         (int) w->graph->places[i]);
    snprintf(query + size, sizeof query - (size_t) size, ")");
    return oo7_paos_get(w, "oo7.base_assembly", query, NULL, 0);
}

void oo7_paos_insert(oo7_paos *w)
{
    paos_object *composites[OO7_NEW_PARTS];
    paos_list *places = get_places(w);
    uint64_t seed = 7;

    for (int i = 0; i < OO7_NEW_PARTS; i++)
        composites[i] = make_composite(w, i, &seed);
    for (size_t i = 0; i < paos_list_size(places); i++)
    {
        paos_object *base = paos_list_at(places, i);
        paos_object *composite = composites[i % OO7_NEW_PARTS];

        add_ref(w, base, "components_priv", composite);
        add_ref(w, composite, "used_in_priv", base);
    }
    for (int i = 0; i < OO7_NEW_PARTS; i++)
        paos_object_release(composites[i]);
    paos_list_free(places);
}

/* ---- SM2 ---- */

/* Those of the references that are not to what is about to be deleted. */
static void remove_new(const oo7_paos *w, paos_object *base)
{
    paos_value old, items[256];
    size_t size = 0;

    check(w->conn, paos_object_get(base, "components_priv", &old));
    for (size_t i = 0; i < old.as.array.size; i++)
    {
        int64_t key = (int64_t) (old.as.array.items[i].as.ref.id & (((paos_id) 1 << 48) - 1));

        if (key <= w->graph->composites_size)
            items[size++] = old.as.array.items[i];
    }
    set(w, base, "components_priv", paos_array(items, size));
}

static void remove_all(oo7_paos *w, paos_list *list)
{
    for (size_t i = 0; i < paos_list_size(list); i++)
        check(w->conn, paos_delete(w->conn, paos_list_at(list, i)));
    w->tally.count += (int64_t) paos_list_size(list);
    paos_list_free(list);
}

/* What is around a composite part; its atomic parts are not. */
static void detach(oo7_paos *w, paos_object *composite)
{
    paos_list *users = oo7_paos_refs(w, composite, w->composite_part_used_in_priv);

    for (size_t i = 0; i < paos_list_size(users); i++)
        remove_new(w, paos_list_at(users, i));
    paos_list_free(users);
    check(w->conn,
          paos_delete(w->conn, oo7_paos_ref(w, composite, w->composite_part_documentation)));
}

/* The atomic parts of all of them are one question. */
static void delete_parts(oo7_paos *w, const paos_list *composites)
{
    char query[24 + 8 * OO7_NEW_PARTS] = "part_of in (";
    paos_value args[OO7_NEW_PARTS];
    size_t n = paos_list_size(composites);
    paos_list *parts;
    int size = 12;

    if (n != OO7_NEW_PARTS)
        die("OO7: %zu new composite parts", n);
    for (size_t i = 0; i < n; i++)
    {
        args[i] = paos_ref(paos_list_at(composites, i));
        size +=
            snprintf(query + size, sizeof query - (size_t) size, "%s$%zu", i ? ", " : "", i + 1);
    }
    snprintf(query + size, sizeof query - (size_t) size, ")");
    parts = oo7_paos_get(w, "oo7.atomic_part", query, args, n);
    for (size_t i = 0; i < paos_list_size(parts); i++)
        remove_all(w, oo7_paos_refs(w, paos_list_at(parts, i), w->atomic_part_outgoing));
    remove_all(w, parts);
}

void oo7_paos_delete(oo7_paos *w)
{
    const paos_value last = paos_int(w->graph->composites_size);
    paos_list *composites = oo7_paos_get(w, "oo7.composite_part", "id > $1", &last, 1);

    for (size_t i = 0; i < paos_list_size(composites); i++)
        detach(w, paos_list_at(composites, i));
    delete_parts(w, composites);
    remove_all(w, composites);
}
