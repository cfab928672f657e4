/*
 * reach.c - loads objects and what they lead to, in one round trip.
 *
 * The server follows references breadth first (paos.reach) and sends each object once,
 * but none that we say we have.  What comes is loaded while the server goes on, so that
 * when it fails in the end, some objects are here that nobody was told of: no harm.
 * What was not asked for but reached is siblings by class, whatever step led to it.
 */
#include "paos_int.h"

#include <limits.h>

/* What is here is named to the server unless it is more than this many times what may come. */
#define KNOWN_TIMES 2

void paosi_reach_free(paosi_reach *r)
{
    paosi_buffer_free(&r->sql);
    paosi_buffer_free(&r->start);
    paosi_buffer_free(&r->names);
    paosi_buffer_free(&r->known);
    paosi_free(r->parameters);
    r->parameters = NULL;
    paosi_results_free(&r->result, 1);
    paosi_free(r->reached);
    r->reached = NULL;
    r->reached_size = 0;
    r->came = 0;
    r->unfit = false;
    r->status = PAOS_OK;
}

/* ---- what is asked ---- */

void paosi_reach_choose(paosi_reach *r, const paos_get_options *options)
{
    paosi_ahead ahead = paosi_trail_ahead(r->conn, r->flags);

    r->levels = ahead.levels;
    r->most = ahead.most;
    if (!options || (!options->prefetch && !options->follow))
        return;
    r->follow = options->follow;
    r->all = !options->follow;
    r->levels = options->prefetch ? options->prefetch : INT_MAX;
    r->most = SIZE_MAX;
}

bool paosi_reach_is_stated(const paosi_reach *r)
{
    return r->all || r->follow;
}

static void add_array(paosi_buffer *out, uint32_t type, size_t n)
{
    paosi_buffer_add32(out, n ? 1 : 0);
    paosi_buffer_add32(out, 0);
    paosi_buffer_add32(out, type);
    if (n == 0)
        return;
    paosi_buffer_add32(out, (uint32_t) n);
    paosi_buffer_add32(out, 1);
}

static void add_names(paosi_buffer *out, const char *const *names)
{
    size_t n = 0;
    size_t i;

    while (names[n])
        n++;
    add_array(out, PAOSI_OID_TEXT, n);
    for (i = 0; i < n; i++)
    {
        paosi_buffer_add32(out, (uint32_t) strlen(names[i]));
        paosi_buffer_text(out, names[i]);
    }
}

/* What is here is named unless that would be most of what is sent. */
static bool add_known(paosi_reach *r)
{
    uint32_t used = r->conn->map.used;

    return used == 0 || used > KNOWN_TIMES * r->most || paosi_known_add(r->conn, &r->known);
}

static void add_parameter(paosi_reach *r, uint32_t type, const paosi_buffer *value)
{
    const paosi_parameter parameter = {
        .type = type, .data = value->size ? value->data : "", .size = value->size};

    r->parameters[r->statement.count++] = parameter;
}

/* What is to be followed, and its parameters after `count` others; false: no memory. */
static bool add_steps(paosi_reach *r)
{
    bool made = r->all || (r->follow ? (add_names(&r->names, r->follow), true)
                                     : paosi_trail_follow(r->conn, r->flags, &r->names));

    if (made && !r->all)
    {
        add_parameter(r, PAOSI_OID_TEXT_ARRAY, &r->names);
        paosi_buffer_format(&r->sql, ", $%zu", r->statement.count);
    }
    else
        paosi_buffer_text(&r->sql, ", NULL");
    paosi_buffer_format(&r->sql, ", %u, %zu, ", r->levels, r->most);
    if (!made || !add_known(r))
        return false;
    add_parameter(r, PAOSI_OID_BYTEA, &r->known);
    paosi_buffer_format(&r->sql, "$%zu", r->statement.count);
    return true;
}

/* The rest of the statement after the start. */
static paos_status finish(paosi_reach *r, bool steps)
{
    bool made = !steps || add_steps(r);

    paosi_buffer_text(&r->sql, ")");
    paosi_buffer_add(&r->sql, "", 1);
    if (!made || r->sql.failed || r->start.failed || r->names.failed || r->known.failed)
        return paosi_fail_memory(r->conn);
    r->statement.sql = r->sql.data;
    r->statement.parameters = r->parameters;
    return PAOS_OK;
}

static bool begin(paosi_reach *r, const paosi_parameter *parameters, size_t n)
{
    size_t most = r->conn->cache.bound / 2;

    paosi_reach_free(r);
    /* Not so much that it would drive itself out of the cache. */
    if (r->most > most)
        r->most = most;
    if (r->most > INT32_MAX)
        r->most = INT32_MAX;
    r->parameters = paosi_malloc((n + 3) * sizeof *r->parameters);
    if (r->parameters && n)
        memcpy(r->parameters, parameters, n * sizeof *parameters);
    r->statement.count = n;
    return r->parameters != NULL;
}

paos_status paosi_reach_ids(paosi_reach *r, const paosi_ids *ids)
{
    size_t i;

    if (!begin(r, NULL, 0))
        return paosi_fail_memory(r->conn);
    add_array(&r->start, r->conn->ref_oid, ids->size);
    for (i = 0; i < ids->size; i++)
    {
        paosi_buffer_add32(&r->start, 8);
        paosi_buffer_add64(&r->start, ids->items[i]);
    }
    add_parameter(r, r->conn->refs_oid, &r->start);
    paosi_buffer_text(&r->sql, "SELECT paos.reach($1");
    return finish(r, true);
}

paos_status paosi_reach_question(paosi_reach *r, const paosi_question *q)
{
    if (!begin(r, q->statement.parameters, q->statement.count))
        return paosi_fail_memory(r->conn);
    paosi_buffer_format(&r->sql, "SELECT paos.answer(%u::pg_catalog.regclass, ", q->class->table);
    if (q->query)
        paosi_question_value(q, &r->sql);
    else
        paosi_buffer_text(&r->sql, "NULL");
    return finish(r, r->levels > 0);
}

/* ---- what comes ---- */

/* The class of a batch whose rows are as we know them; NULL: the classes are others. */
static paosi_class *class_of(const paos_conn *conn, const paosi_batch *batch)
{
    paosi_class *class = paosi_class_by_number(conn, batch->class);

    return class && !class->gone && class->shape->number == batch->shape ? class : NULL;
}

static uint32_t flags_at(uint32_t flags, uint32_t level)
{
    for (; level > 0; level--)
        flags = paosi_trail_next(flags);
    return flags;
}

/* What was reached of one class is siblings; NULL: no memory. */
static paosi_load *load_of(paosi_reach *r, const paosi_batch *batch)
{
    paosi_reached *items;
    size_t i;

    if (batch->level == 0)
        return r->start_load;
    for (i = 0; i < r->reached_size; i++)
        if (r->reached[i].class == batch->class)
            return &r->reached[i].load;
    items = paosi_realloc(r->reached, (r->reached_size + 1) * sizeof *items);
    if (!items)
        return NULL;
    r->reached = items;
    items += r->reached_size++;
    items->class = batch->class;
    items->load = (paosi_load){.conn = r->conn, .siblings = true};
    return &items->load;
}

static paos_status malformed(const paosi_reach *r)
{
    return paosi_fail(r->conn, PAOS_SERVER, "malformed objects");
}

static paos_status load_batch(paosi_reach *r, const paosi_class *class, paosi_batch *batch)
{
    paosi_load *load = load_of(r, batch);

    if (!load)
        return paosi_fail_memory(r->conn);
    load->policy = flags_at(r->flags, batch->level);
    if (batch->level > 0)
        r->came += batch->rows;
    return paosi_load_batch(load, class, batch, &r->unfit);
}

static paos_status note_missing(const paosi_reach *r, paosi_batch *batch)
{
    paos_status status = PAOS_OK;
    uint64_t id;
    uint32_t i;

    /* Who asked knows what of it did not come. */
    for (i = 0; status == PAOS_OK && batch->level > 0 && i < batch->missing; i++)
        status = paosi_batch_missing(batch, &id) ? paosi_load_absent(r->conn, id) : malformed(r);
    return status;
}

/* False: it makes no sense, or not with the classes that we know. */
static bool take(void *arg, const paosi_result *row)
{
    paosi_reach *r = arg;
    const paosi_class *class;
    paosi_batch batch;

    if (!paosi_batch_open(&batch, row, 0))
    {
        r->status = malformed(r);
        return false;
    }
    class = class_of(r->conn, &batch);
    r->unfit = batch.rows && !class;
    if (r->unfit)
        return false;
    if (batch.rows)
        r->status = load_batch(r, class, &batch);
    if (r->status == PAOS_OK && !r->unfit)
        r->status = note_missing(r, &batch);
    return r->status == PAOS_OK && !r->unfit;
}

/* A walk along a trail tells it what came of it. */
paos_status paosi_reach_run(paosi_reach *r, paosi_load *start)
{
    bool learned = !paosi_reach_is_stated(r) && r->levels > 0;
    bool nesting = r->levels > 0 && (!learned || !paosi_trail_sparse(r->conn, r->flags));
    bool sparse = !nesting;
    paos_status status;

    r->start_load = start;
    if (nesting)
        paosi_slots_nest(&r->conn->cache);
    status = paosi_conn_stream(r->conn, &r->statement, take, r, &r->result);
    if (nesting)
        sparse = paosi_slots_unnest(&r->conn->cache);
    if (status == PAOS_OK)
        status = r->status;
    if (status == PAOS_OK && !r->unfit && learned && !paosi_reach_refused(r))
        paosi_trail_brought(r->conn, r->flags, r->came, sparse);
    return status;
}

bool paosi_reach_refused(const paosi_reach *r)
{
    return paosi_result_outcome(r->result) == PAOSI_FAILED;
}

paos_status paosi_reach_check(const paosi_reach *r, bool last, bool *again)
{
    paos_conn *conn = r->conn;

    if (paosi_reach_refused(r))
        return paosi_fail_result(conn, r->result);
    *again = r->unfit;
    if (!r->unfit || !last)
        return PAOS_OK;
    conn->catalog_stale = true;
    return paosi_fail(conn, PAOS_INVALID, "classes change all the time");
}
