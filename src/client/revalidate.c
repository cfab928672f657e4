/*
 * revalidate.c - are cached objects as they were loaded?
 *
 * Asks for the versions of all of them at once.  One with local changes keeps
 * the row that they were made on: whether it is stale shows when it is committed.
 */
#include "paos_int.h"

typedef struct part
{
    const paosi_class *root;
    paosi_ids keys;
    paosi_buffer sql, array;
    paosi_parameter parameter;
} part;

typedef struct check
{
    paos_conn *conn;
    size_t size;
    part *parts;
    paosi_statement *statements;
    paosi_result **results;
} check;

/* Calls `visit` with every object that there is. */
static bool each(paos_conn *conn, bool (*visit)(check *c, paos_object *object), check *c)
{
    size_t i;

    for (i = 0; i < conn->cache.slabs_size * PAOSI_SLAB; i++)
    {
        paos_object *object = paosi_cache_at(&conn->cache, (uint32_t) i);

        if (object->shape && !visit(c, object))
            return false;
    }
    return true;
}

static bool has_changes(const paos_object *object)
{
    return object->draft || object->flags & (PAOSI_NEW | PAOSI_DELETE);
}

static void unload(paos_object *object)
{
    if (!has_changes(object))
        paosi_object_take_row(object, object->shape, NULL, 0, 0);
}

/* ---- nothing is known ---- */

static bool forget(check *c, paos_object *object)
{
    (void) c;
    if (object->flags & PAOSI_ABSENT)
        paosi_object_set_present(object, object->shape);
    unload(object);
    /* No row has this version, so that changes made here cannot be stored by mistake. */
    object->version = 0;
    return true;
}

/* Numbers of events that were lost come again for others. */
static void forget_numbers(paosi_request *request)
{
    paosi_answer_forget(&request->answer);
    paosi_answer_free(&request->told);
    request->settles = 0;
}

void paosi_revalidate_nothing(paos_conn *conn)
{
    paosi_request *request;
    size_t i;

    for (request = conn->requests.first; request; request = request->next)
        forget_numbers(request);
    each(conn, forget, NULL);
    /* Ids that wait for new objects may be given out again. */
    for (i = 0; i < conn->classes_size; i++)
        if (conn->classes[i])
            conn->classes[i]->ids_used = conn->classes[i]->ids_size = 0;
}

/* ---- asking ---- */

static part *part_of(check *c, const paosi_class *root)
{
    size_t i;
    part *parts;

    for (i = 0; i < c->size; i++)
        if (c->parts[i].root == root)
            return &c->parts[i];
    parts = paosi_realloc(c->parts, (c->size + 1) * sizeof *parts);
    if (!parts)
        return NULL;
    c->parts = parts;
    memset(&parts[c->size], 0, sizeof *parts);
    parts[c->size].root = root;
    return &parts[c->size++];
}

/* What is known to be absent may exist by now. */
static bool add(check *c, paos_object *object)
{
    const paosi_class *root = object->shape->class->root;
    part *p;

    if ((!object->row && !(object->flags & PAOSI_ABSENT)) || root->gone || has_changes(object))
        return true;
    p = part_of(c, root);
    return p && paosi_ids_add(&p->keys, object->id);
}

static bool add_some(check *c, const paosi_ids *identities)
{
    size_t i;

    for (i = 0; i < identities->size; i++)
    {
        paos_object *object = paosi_map_find(c->conn, identities->items[i]);

        if (object && !add(c, object))
            return false;
    }
    return true;
}

static bool part_make(part *p, paosi_statement *statement)
{
    const paosi_class *root = p->root;
    size_t i;

    paosi_look_select(&p->sql, root);
    paosi_buffer_text(&p->sql, " WHERE o$.");
    paosi_buffer_name(&p->sql, root->shape->columns[root->shape->key].name);
    paosi_buffer_text(&p->sql, " OPERATOR(pg_catalog.=) ANY ($1)");
    paosi_buffer_add(&p->sql, "", 1);
    paosi_look_array(&p->array, PAOSI_OID_INT8, p->keys.size);
    for (i = 0; i < p->keys.size; i++)
    {
        paosi_buffer_add32(&p->array, 8);
        paosi_buffer_add64(&p->array, paosi_id_key(p->keys.items[i]));
    }
    p->parameter.type = PAOSI_OID_INT8_ARRAY;
    p->parameter.data = p->array.data;
    p->parameter.size = p->array.size;
    statement->sql = p->sql.data;
    statement->parameters = &p->parameter;
    statement->count = 1;
    return !p->sql.failed && !p->array.failed;
}

static paos_status check_make(check *c, const paosi_ids *identities)
{
    size_t i;

    if (identities ? !add_some(c, identities) : !each(c->conn, add, c))
        return paosi_fail_memory(c->conn);
    c->statements = paosi_calloc(c->size, sizeof *c->statements);
    c->results = paosi_calloc(c->size, sizeof *c->results);
    if (!c->statements || !c->results)
        return paosi_fail_memory(c->conn);
    for (i = 0; i < c->size; i++)
        if (!part_make(&c->parts[i], &c->statements[i]))
            return paosi_fail_memory(c->conn);
    return PAOS_OK;
}

static void check_free(check *c)
{
    size_t i;

    for (i = 0; i < c->size; i++)
    {
        paosi_free(c->parts[i].keys.items);
        paosi_buffer_free(&c->parts[i].sql);
        paosi_buffer_free(&c->parts[i].array);
    }
    if (c->results)
        paosi_results_free(c->results, c->size);
    paosi_free(c->parts);
    paosi_free(c->statements);
    paosi_free(c->results);
}

/* ---- taking it in ---- */

/* Unloads what is of another version; what did not come is not there. */
static paos_status take(const part *p, const paosi_result *result)
{
    paos_conn *conn = p->root->conn;
    paosi_answer present = {0};
    paos_status status = paosi_look_answer(p->root, result, &present);
    uint32_t version;
    size_t i;

    for (i = 0; status == PAOS_OK && i < p->keys.size; i++)
    {
        paos_object *object = paosi_map_find(conn, p->keys.items[i]);

        if (!object)
            continue;
        if (!paosi_answer_has(&present, object->id, &version))
            paosi_object_set_absent(object);
        else if (object->flags & PAOSI_ABSENT)
            paosi_object_set_present(object, object->shape);
        else if (version != object->version)
            unload(object);
    }
    paosi_answer_free(&present);
    return status;
}

paos_status paosi_revalidate(paos_conn *conn, const paosi_ids *identities)
{
    check c = {.conn = conn};
    paos_status status = check_make(&c, identities);
    size_t i;

    if (status == PAOS_OK && c.size > 0)
        status = paosi_conn_ask(conn, c.statements, c.size, c.results);
    for (i = 0; status == PAOS_OK && i < c.size; i++)
        status = take(&c.parts[i], c.results[i]);
    check_free(&c);
    return status;
}
