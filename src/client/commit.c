/*
 * commit.c - stores local changes, all or nothing.
 *
 * Inserts alone need one round trip.  With updates or deletes the first one
 * ends before COMMIT: only when every row that was written came back is it
 * known that none was stale.  Nothing that a program sees changes before the server
 * has committed, and from then on nothing may fail: what there is no memory for is
 * left unloaded.
 */
#include "commit.h"

typedef struct commit
{
    paos_conn *conn;
    size_t size; /* objects to be stored */
    paos_object **objects;
    paosi_groups groups;
    bool whole;      /* all that has changed is stored */
    bool checked;    /* some are updated or deleted, so that they may be stale */
    uint64_t xid;    /* its number; 0: not known */
    size_t settling; /* acknowledgements that are part of it */
    paosi_parameter *parameters;
    char *rooms;
    size_t count; /* statements of the exchange under way, and their results */
    paosi_statement *statements;
    paosi_result **results;
} commit;

static const char sql_begin[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
static const char sql_version[] = "SELECT pg_catalog.pg_current_xact_id()";
static const char sql_commit[] = "COMMIT";
static const char sql_release[] = "SELECT paos.release()";

static void add_plain(commit *c, const char *sql)
{
    const paosi_statement statement = {.sql = sql};

    c->statements[c->count++] = statement;
}

/* ---- what is to be stored ---- */

static bool has_changes(const paos_object *object)
{
    return !(object->flags & PAOSI_ABSENT) &&
           (object->draft || object->flags & (PAOSI_NEW | PAOSI_DELETE));
}

/* Adds an object once. */
static void add_object(commit *c, paos_object *object)
{
    if (!has_changes(object) || object->flags & PAOSI_MARK)
        return;
    object->flags |= PAOSI_MARK;
    c->objects[c->size++] = object;
}

static paos_status choose_objects(commit *c, paos_object *const *objects, size_t n)
{
    const paosi_cache *cache = &c->conn->cache;
    uint32_t slot;
    size_t i;

    c->whole = n == 0;
    c->objects = paosi_malloc((n ? n : cache->dirty.size) * sizeof *c->objects);
    if (!c->objects)
        return paosi_fail_memory(c->conn);
    for (i = 0; i < n; i++)
        add_object(c, objects[i]);
    for (slot = n ? PAOSI_NONE : cache->dirty.first; slot != PAOSI_NONE;
         slot = paosi_object_rest(paosi_cache_at(cache, slot))->next)
        add_object(c, paosi_cache_at(cache, slot));
    for (i = 0; i < c->size; i++)
    {
        c->objects[i]->flags &= ~(uint32_t) PAOSI_MARK;
        c->checked |= !(c->objects[i]->flags & PAOSI_NEW);
    }
    return PAOS_OK;
}

/* New objects that others refer to get their ids too, though they may not be stored yet. */
static paos_status register_targets(commit *c)
{
    const paosi_cache *cache = &c->conn->cache;
    paos_object **targets;
    paos_status status;
    size_t n = 0;
    uint32_t slot;

    if (!c->conn->unsettled || c->whole)
        return PAOS_OK;
    targets = paosi_malloc(cache->dirty.size * sizeof *targets);
    if (!targets)
        return paosi_fail_memory(c->conn);
    for (slot = cache->dirty.first; slot != PAOSI_NONE;
         slot = paosi_object_rest(paosi_cache_at(cache, slot))->next)
        targets[n++] = paosi_cache_at(cache, slot);
    status = paosi_register(c->conn, targets, n);
    paosi_free(targets);
    return status;
}

/* Ids for all that is new; a reference to a new object that was deleted again has none to get. */
static paos_status name_objects(commit *c)
{
    paos_status status = register_targets(c);
    size_t i;

    if (status == PAOS_OK)
        status = paosi_register(c->conn, c->objects, c->size);
    /* References that were replaced since do not count. */
    paosi_draft_settle(c->conn, NULL);
    for (i = 0; status == PAOS_OK && i < c->size; i++)
        if (c->objects[i]->draft && c->objects[i]->draft->temporaries)
            status = paosi_fail(c->conn, PAOS_INVALID,
                                "an object refers to a new object that was deleted");
    return status;
}

/* ---- exchanges ---- */

static paos_status make_room(commit *c)
{
    /* BEGIN, version, COMMIT, release */
    size_t most = c->groups.chunk_count + c->settling + 4;

    c->statements = paosi_calloc(most, sizeof *c->statements);
    c->results = paosi_calloc(most, sizeof *c->results);
    c->parameters = paosi_calloc(2 * c->settling, sizeof *c->parameters);
    c->rooms = paosi_malloc(c->settling * PAOSI_ARGUMENT);
    return c->statements && c->results && c->parameters && c->rooms ? PAOS_OK
                                                                    : paosi_fail_memory(c->conn);
}

/* The server's first error, if there was one. */
static paos_status first_error(commit *c)
{
    size_t i;

    for (i = 0; i < c->count; i++)
        if (c->results[i] && paosi_result_outcome(c->results[i]) == PAOSI_FAILED)
            return paosi_fail_result(c->conn, c->results[i]);
    return PAOS_OK;
}

static void take_version(commit *c, const paosi_result *result)
{
    size_t size;
    const unsigned char *data = paosi_result_value(result, 0, 0, &size);

    if (data && size == 8)
        c->xid = paosi_read64(data);
}

/* A broken connection: is it known that COMMIT, the statement at `place`, was not done? */
static paos_status judge_breaking(commit *c, size_t place, size_t reached)
{
    size_t i;

    if (c->results[place] && paosi_result_outcome(c->results[place]) == PAOSI_DONE)
        return PAOS_OK;
    if (reached <= place)
        return PAOS_DISCONNECTED;
    /* The server answers in order: an error before COMMIT means that it came to nothing. */
    for (i = 0; i <= place; i++)
        if (c->results[i] && paosi_result_outcome(c->results[i]) == PAOSI_FAILED)
            return PAOS_DISCONNECTED;
    if (place > 0 && c->results[place - 1])
        take_version(c, c->results[place - 1]);
    paosi_outcome_note(c->conn, c->objects, c->size, c->xid);
    return paosi_fail_detail(c->conn, PAOS_UNKNOWN, paos_status_text(PAOS_UNKNOWN),
                             paosi_pgio_message(c->conn->io), "");
}

/* Runs statements that end with COMMIT at `place` and what comes after it. */
static paos_status run_commit(commit *c, size_t place)
{
    size_t reached;
    paos_status status = paosi_conn_send(c->conn, c->statements, c->count, c->results, &reached);

    if (status == PAOS_DISCONNECTED)
        return judge_breaking(c, place, reached);
    if (status != PAOS_OK)
        return paosi_conn_roll_back(c->conn, status);
    if (paosi_result_outcome(c->results[place]) == PAOSI_DONE)
        return PAOS_OK;
    return paosi_conn_roll_back(c->conn, first_error(c));
}

/* While the server stores what came before it. */
static bool make_chunk(void *arg)
{
    paosi_chunk *chunk = arg;
    size_t i;

    if (!paosi_chunk_make(chunk))
        return false;
    for (i = 0; chunk->group->action == PAOSI_INSERT && i < chunk->size; i++)
        paosi_stored_prepare(chunk->members[i]);
    return true;
}

static void add_changes(commit *c)
{
    size_t i;

    add_plain(c, sql_begin);
    for (i = 0; i < c->groups.chunk_count; i++)
    {
        paosi_chunk *chunk = &c->groups.chunks[i];
        const paosi_statement statement = {.sql = chunk->group->sql.data,
                                           .parameters = chunk->parameters,
                                           .count = chunk->count,
                                           .make = make_chunk,
                                           .arg = chunk};

        c->statements[c->count++] = statement;
    }
    paosi_durable_settle(c->conn, c->statements + c->count, c->parameters, c->rooms);
    c->count += c->settling;
    add_plain(c, sql_version);
}

/* Nothing can be stale: one round trip. */
static paos_status store_unchecked(commit *c)
{
    size_t place;
    paos_status status;

    add_changes(c);
    place = c->count;
    add_plain(c, sql_commit);
    add_plain(c, sql_release);
    status = run_commit(c, place);
    if (status == PAOS_OK)
        take_version(c, c->results[place - 1]);
    paosi_results_free(c->results, c->count);
    return status;
}

/* ---- stale objects ---- */

/* Unmarks the objects whose rows were written. */
static void unmark_written(commit *c)
{
    size_t i, row, size;

    for (i = 0; i < c->groups.chunk_count; i++)
    {
        const paosi_chunk *chunk = &c->groups.chunks[i];
        const paosi_class *root = chunk->group->shape->class->root;
        const paosi_result *result = c->results[1 + i];

        if (chunk->group->action == PAOSI_INSERT)
            continue;
        for (row = 0; row < paosi_result_rows(result); row++)
        {
            const unsigned char *key = paosi_result_value(result, row, 0, &size);
            paos_object *object = NULL;

            if (key && size == 8)
                object = paosi_map_find(c->conn, paosi_id_make(root, paosi_read64(key)));
            if (object)
                object->flags &= ~(uint32_t) PAOSI_MARK;
        }
    }
}

/* Lists the objects that were not written; takes all marks off. */
static paos_status find_stale(commit *c)
{
    paos_status status = PAOS_OK;
    size_t i;

    for (i = 0; i < c->size; i++)
        if (!(c->objects[i]->flags & PAOSI_NEW))
            c->objects[i]->flags |= PAOSI_MARK;
    unmark_written(c);
    for (i = 0; i < c->size; i++)
    {
        if (!(c->objects[i]->flags & PAOSI_MARK))
            continue;
        c->objects[i]->flags &= ~(uint32_t) PAOSI_MARK;
        if (!paosi_list_add(c->conn->conflicts, c->objects[i]))
            status = PAOS_NO_MEMORY;
    }
    if (status != PAOS_OK)
        return paosi_fail_memory(c->conn);
    if (c->conn->conflicts->size == 0)
        return PAOS_OK;
    return paosi_fail(c->conn, PAOS_CONFLICT,
                      "%zu of %zu objects were written by someone else since they were loaded",
                      c->conn->conflicts->size, c->size);
}

static paos_status store_checked(commit *c)
{
    paos_status status;

    add_changes(c);
    status = paosi_conn_exchange(c->conn, c->statements, c->count, c->results);
    if (status != PAOS_OK)
        return paosi_conn_roll_back(c->conn, status);
    status = first_error(c);
    if (status == PAOS_OK)
        status = find_stale(c);
    if (status == PAOS_OK)
        take_version(c, c->results[c->count - 1]);
    paosi_results_free(c->results, c->count);
    if (status != PAOS_OK)
        return paosi_conn_roll_back(c->conn, status);
    c->count = 0;
    add_plain(c, sql_commit);
    add_plain(c, sql_release);
    status = run_commit(c, 0);
    paosi_results_free(c->results, c->count);
    return status;
}

/* ---- all of it ---- */

static void drop_statements(commit *c)
{
    paosi_groups_free(&c->groups);
    paosi_free(c->statements);
    paosi_free(c->results);
    paosi_free(c->parameters);
    paosi_free(c->rooms);
    c->statements = NULL;
    c->results = NULL;
    c->parameters = NULL;
    c->rooms = NULL;
    c->count = 0;
}

static paos_status try_to_store(commit *c)
{
    paos_status status = paosi_groups_make(c->conn, &c->groups, c->objects, c->size);

    if (status == PAOS_OK)
        status = make_room(c);
    if (status == PAOS_OK)
        status = c->checked ? store_checked(c) : store_unchecked(c);
    if (status == PAOS_OK)
        paosi_stored_take(c->objects, c->size, c->xid);
    else
        paosi_stored_undo(c->objects, c->size);
    return status;
}

/* A foreign key that one statement would satisfy may fail in a piece of it. */
static bool was_in_pieces(const commit *c)
{
    return strcmp(c->conn->error.shown.sqlstate, "23503") == 0 && paosi_groups_rejoin(&c->groups);
}

static paos_status store(commit *c)
{
    paos_status status = try_to_store(c);

    if (status == PAOS_SERVER && was_in_pieces(c))
    {
        drop_statements(c);
        status = try_to_store(c);
    }
    drop_statements(c);
    return status;
}

/* With nothing to store there are still rights to give up. */
static paos_status release_rights(paos_conn *conn)
{
    const paosi_statement statement = {.sql = sql_release};
    paosi_result *result;
    paos_status status = paosi_conn_ask(conn, &statement, 1, &result);

    paosi_results_free(&result, 1);
    return status;
}

paos_status paos_commit(paos_conn *conn, paos_object *const *objects, size_t n)
{
    commit c = {.conn = conn};
    paos_status status;

    if (!conn)
        return PAOS_INVALID;
    paosi_list_clear(conn->conflicts);
    status = paosi_objects_check(conn, objects, n);
    if (status == PAOS_OK)
        status = paosi_reconnect(conn);
    if (status == PAOS_OK)
        paosi_outcome_forget(conn);
    if (status == PAOS_OK)
        status = choose_objects(&c, objects, n);
    if (status == PAOS_OK)
        status = name_objects(&c);
    if (status == PAOS_OK)
    {
        c.settling = paosi_durable_settling(conn);
        status = c.size || c.settling ? store(&c) : release_rights(conn);
    }
    paosi_free(c.objects);
    if (status == PAOS_OK)
    {
        conn->rights.size = 0;
        paosi_durable_settled(conn);
        paosi_cache_trim(conn, NULL);
    }
    return status;
}
