/*
 * fetch.c - loads objects by their ids, whatever their classes, in one round trip.
 *
 * What does not come back does not exist, and is remembered as absent, so that
 * a dangling reference is asked about once.  When the classes turn out to be
 * other than thought, they are read anew and the whole is tried again.
 */
#include "paos_int.h"

#include <stdlib.h>

/* Times that the classes may turn out to have changed since they were read. */
#define ATTEMPTS 3

/* ---- ids ---- */

bool paosi_ids_add(paosi_ids *ids, uint64_t id)
{
    if (!paosi_room(&ids->items, sizeof *ids->items, ids->size, &ids->capacity))
        return false;
    ids->items[ids->size++] = id;
    return true;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *) a;
    uint64_t y = *(const uint64_t *) b;

    return (x > y) - (x < y);
}

void paosi_ids_sort(paosi_ids *ids)
{
    size_t kept = 0;
    size_t i;

    if (ids->size > 1)
        qsort(ids->items, ids->size, sizeof *ids->items, compare_ids);
    for (i = 0; i < ids->size; i++)
        if (kept == 0 || ids->items[kept - 1] != ids->items[i])
            ids->items[kept++] = ids->items[i];
    ids->size = kept;
}

static size_t count_classes(const paosi_ids *ids)
{
    size_t n = 0;
    size_t i;

    for (i = 0; i < ids->size; i++)
        n += i == 0 || paosi_id_class(ids->items[i]) != paosi_id_class(ids->items[i - 1]);
    return n;
}

/* ---- the request ---- */

/* The objects of one class. */
typedef struct part
{
    paosi_class *class;
    paosi_buffer sql, keys;
    paosi_parameter parameter;
} part;

/*
 * The keys as an array of the key's own type, so that the server may hash them instead
 * of searching an index for each; integers that it has not are names of nothing.
 */
static void add_keys(part *p, const paosi_column *key, const uint64_t *ids, size_t n)
{
    bool small = key->type.oid == PAOSI_OID_INT4;
    size_t i;

    /* Ids are sorted. */
    while (small && n > 0 && paosi_id_key(ids[n - 1]) > INT32_MAX)
        n--;
    paosi_buffer_add32(&p->keys, 1);
    paosi_buffer_add32(&p->keys, 0);
    paosi_buffer_add32(&p->keys, small ? PAOSI_OID_INT4 : PAOSI_OID_INT8);
    paosi_buffer_add32(&p->keys, (uint32_t) n);
    paosi_buffer_add32(&p->keys, 1);
    for (i = 0; i < n; i++)
    {
        paosi_buffer_add32(&p->keys, small ? 4 : 8);
        if (small)
            paosi_buffer_add32(&p->keys, (uint32_t) paosi_id_key(ids[i]));
        else
            paosi_buffer_add64(&p->keys, paosi_id_key(ids[i]));
    }
    p->parameter.type = small ? PAOSI_OID_INT4_ARRAY : PAOSI_OID_INT8_ARRAY;
}

static void part_make(part *p, paosi_class *class, const uint64_t *ids, size_t n)
{
    const char *select = paosi_class_select(class);

    p->class = class;
    paosi_buffer_text(&p->sql, select ? select : "");
    paosi_buffer_text(&p->sql, " WHERE o$.");
    paosi_buffer_name(&p->sql, class->shape->columns[class->shape->key].name);
    paosi_buffer_text(&p->sql, " OPERATOR(pg_catalog.=) ANY ($1)");
    paosi_buffer_add(&p->sql, "", 1);
    if (!select)
        p->sql.failed = true;
    add_keys(p, &class->shape->columns[class->shape->key], ids, n);
    p->parameter.text = false;
    p->parameter.data = p->keys.data;
    p->parameter.size = p->keys.size;
}

typedef struct request
{
    paos_conn *conn;
    size_t size; /* parts; statements and results are as many */
    part *parts;
    paosi_statement *statements;
    paosi_result **results;
} request;

static void request_free(request *r)
{
    size_t i;

    for (i = 0; r->parts && i < r->size; i++)
    {
        paosi_buffer_free(&r->parts[i].sql);
        paosi_buffer_free(&r->parts[i].keys);
    }
    if (r->results)
        paosi_results_free(r->results, r->size);
    paosi_free(r->parts);
    paosi_free(r->statements);
    paosi_free(r->results);
}

/* Statements for the ids of classes that there are; others are absent without being asked for. */
static paos_status request_make(request *r, const paosi_ids *ids)
{
    size_t most = count_classes(ids);
    size_t i = 0;

    r->parts = paosi_calloc(most, sizeof *r->parts);
    r->statements = paosi_calloc(most, sizeof *r->statements);
    r->results = paosi_calloc(most, sizeof *r->results);
    if (!r->parts || !r->statements || !r->results)
        return paosi_fail_memory(r->conn);
    while (i < ids->size)
    {
        paosi_class *class = paosi_class_by_number(r->conn, paosi_id_class(ids->items[i]));
        part *p = &r->parts[r->size];
        size_t first = i;

        while (i < ids->size && paosi_id_class(ids->items[i]) == paosi_id_class(ids->items[first]))
            i++;
        if (!class || class->gone)
            continue;
        part_make(p, class, ids->items + first, i - first);
        r->size++;
        if (p->sql.failed || p->keys.failed)
            return paosi_fail_memory(r->conn);
        r->statements[r->size - 1].sql = p->sql.data;
        r->statements[r->size - 1].parameters = &p->parameter;
        r->statements[r->size - 1].count = 1;
    }
    return PAOS_OK;
}

/* Sets *again instead of failing when the classes have changed and there is another attempt. */
static paos_status request_run(request *r, bool last, bool *again)
{
    paos_status status;
    size_t i;

    if (r->size == 0)
        return PAOS_OK;
    status = paosi_conn_exchange(r->conn, r->statements, r->size, r->results);
    for (i = 0; status == PAOS_OK && i < r->size; i++)
    {
        status = paosi_load_check(r->parts[i].class, r->results[i], last, again);
        if (*again)
            break;
    }
    return status;
}

/* ---- taking it in ---- */

/* Marks those of the objects that are here; loading a row takes the mark off. */
static void mark(const paosi_load *load, const paosi_ids *ids)
{
    size_t i;

    for (i = 0; i < ids->size; i++)
    {
        uint64_t identity = paosi_reference_identity(load->conn, ids->items[i]);
        paos_object *object = identity ? paosi_map_find(load->conn, identity) : NULL;

        if (!object)
            continue;
        if (load->discard)
        {
            paosi_draft_drop(object);
            object->flags &= ~(uint32_t) PAOSI_DELETE;
            paosi_cache_place(object);
        }
        object->flags |= PAOSI_MARK;
    }
}

/* What was asked for and did not come. */
paos_status paosi_load_absent(paos_conn *conn, uint64_t id)
{
    const paosi_class *class = paosi_class_by_number(conn, paosi_id_class(id));
    uint64_t identity = paosi_reference_identity(conn, id);
    paos_object *object = identity ? paosi_map_find(conn, identity) : NULL;
    paos_status status;

    if (!identity || !class->shape)
        return PAOS_OK;
    if (!object)
    {
        status = paosi_cache_add(conn, class->shape, identity, &object);
        if (status == PAOS_OK)
            paosi_object_set_absent(object);
        return status;
    }
    /* Not found as one of a subclass: it may well be another object of the extent. */
    if (!(object->flags & PAOSI_MARK) || object->draft || object->flags & PAOSI_NEW ||
        !paosi_class_is(object->shape->class, class))
        return PAOS_OK;
    paosi_object_set_absent(object);
    return PAOS_OK;
}

static void unmark(const paosi_load *load, const paosi_ids *ids)
{
    size_t i;

    for (i = 0; i < ids->size; i++)
    {
        uint64_t identity = paosi_reference_identity(load->conn, ids->items[i]);
        paos_object *object = identity ? paosi_map_find(load->conn, identity) : NULL;

        if (object)
            object->flags &= ~(uint32_t) PAOSI_MARK;
    }
}

static paos_status note_absent(const paosi_load *load, const paosi_ids *ids)
{
    paos_status status = PAOS_OK;
    size_t i;

    for (i = 0; status == PAOS_OK && i < ids->size; i++)
        status = paosi_load_absent(load->conn, ids->items[i]);
    return status;
}

static paos_status take(paosi_load *load, const request *r, const paosi_ids *ids)
{
    paos_status status = PAOS_OK;
    size_t i;

    mark(load, ids);
    for (i = 0; status == PAOS_OK && i < r->size; i++)
        status = paosi_load_rows(load, r->parts[i].class, r->results[i]);
    if (status == PAOS_OK)
        status = note_absent(load, ids);
    unmark(load, ids);
    return status;
}

/* The classes that ids name must be known before statements can be made. */
static paos_status know_classes(paos_conn *conn, const paosi_ids *ids)
{
    paos_status status = paosi_catalog_ensure(conn);
    paosi_class *class;
    size_t i;

    for (i = 0; status == PAOS_OK && i < ids->size; i++)
        if (i == 0 || paosi_id_class(ids->items[i]) != paosi_id_class(ids->items[i - 1]))
            status = paosi_catalog_number(conn, paosi_id_class(ids->items[i]), &class);
    return status;
}

static paos_status attempt(paosi_load *load, paosi_ids *ids, bool last, bool *again)
{
    request r = {.conn = load->conn};
    paos_status status = request_make(&r, ids);

    if (status == PAOS_OK)
        status = request_run(&r, last, again);
    if (status == PAOS_OK && !*again)
        status = take(load, &r, ids);
    request_free(&r);
    return status;
}

/* When the server refuses more than was asked for, it need not refuse that. */
static paos_status check_ahead(const paosi_load *load, const paosi_reach *r, bool last, bool *again)
{
    if (!paosi_reach_refused(r))
        return paosi_reach_check(r, last, again);
    if (!paosi_reach_is_stated(r))
        paosi_trail_forget(load->conn, load->policy);
    *again = !last && (!paosi_reach_is_stated(r) || paosi_load_outdated(r->result));
    return *again ? PAOS_OK : paosi_fail_result(load->conn, r->result);
}

/* Same with what the objects lead to. */
static paos_status attempt_ahead(paosi_load *load, paosi_reach *r, paosi_ids *ids, bool last,
                                 bool *again)
{
    paos_status status = paosi_reach_ids(r, ids);

    mark(load, ids);
    if (status == PAOS_OK)
        status = paosi_reach_run(r, load);
    if (status == PAOS_OK)
        status = check_ahead(load, r, last, again);
    if (status == PAOS_OK && !*again)
        status = note_absent(load, ids);
    unmark(load, ids);
    paosi_reach_free(r);
    return status;
}

/* As far as the program is likely to go, or says; the last attempt is as sure as can be. */
static paos_status attempt_any(paosi_load *load, paosi_ids *ids, bool last, bool *again)
{
    paosi_reach r = {.conn = load->conn, .flags = load->policy};

    if (load->siblings)
        paosi_reach_choose(&r, load->options);
    if (r.levels > 0 && (!last || paosi_reach_is_stated(&r)))
        return attempt_ahead(load, &r, ids, last, again);
    return attempt(load, ids, last, again);
}

paos_status paosi_load_ids(paosi_load *load, paosi_ids *ids)
{
    paos_status status = PAOS_OK;
    bool again = true;
    int i;

    paosi_ids_sort(ids);
    for (i = 1; status == PAOS_OK && again; i++)
    {
        again = false;
        status = know_classes(load->conn, ids);
        if (status != PAOS_OK)
            return status;
        status = attempt_any(load, ids, i == ATTEMPTS, &again);
        if (status == PAOS_OK && again)
            status = paosi_catalog_load(load->conn, NULL, NULL);
    }
    return status;
}
