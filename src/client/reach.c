/*
 * reach.c - loads objects and what they lead to, in one round trip.
 *
 * The server follows references breadth first (paos.reach) and sends each object once,
 * but none that we say we have.  What was not asked for but reached is siblings by
 * class, whatever the step that led to it.
 */
#include "paos_int.h"

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
}

/* ---- what is asked ---- */

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

/* The rest of the statement after the start, and its parameters after `count` others. */
static paos_status finish(paosi_reach *r)
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
    made = made && add_known(r);
    if (made)
    {
        add_parameter(r, PAOSI_OID_BYTEA, &r->known);
        paosi_buffer_format(&r->sql, "$%zu)", r->statement.count);
    }
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
    return finish(r);
}

paos_status paosi_reach_question(paosi_reach *r, paosi_question *q)
{
    const paosi_class *class = q->class;

    if (!begin(r, q->statement.parameters, q->statement.count))
        return paosi_fail_memory(r->conn);
    paosi_buffer_format(&r->sql,
                        "SELECT paos.reach(ARRAY(SELECT paos.ref(%u::pg_catalog.regclass, o$.",
                        class->table);
    paosi_buffer_name(&r->sql, class->shape->columns[class->shape->key].name);
    paosi_buffer_format(&r->sql, ") FROM %s o$", class->table_sql);
    paosi_question_condition(q, &r->sql);
    paosi_buffer_text(&r->sql, ")");
    return finish(r);
}

/* ---- what comes ---- */

/* The class of a batch whose rows are as we know them; NULL: the classes are others. */
static paosi_class *class_of(const paos_conn *conn, const paosi_batch *batch)
{
    paosi_class *class = paosi_class_by_number(conn, batch->class);

    return class && !class->gone && class->shape->number == batch->shape ? class : NULL;
}

/* Are all batches of classes that we know, and of tables of theirs? */
static bool fits(const paos_conn *conn, const paosi_result *result)
{
    size_t row;

    for (row = 0; row < paosi_result_rows(result); row++)
    {
        paosi_batch batch;

        if (!paosi_batch_open(&batch, result, row))
            return false;
        if (batch.rows && !class_of(conn, &batch))
            return false;
    }
    return true;
}

paos_status paosi_reach_check(const paosi_reach *r, const paosi_result *result, bool last,
                              bool *again)
{
    paos_conn *conn = r->conn;

    if (paosi_result_outcome(result) != PAOSI_DONE)
        return paosi_fail_result(conn, result);
    if (fits(conn, result))
        return PAOS_OK;
    *again = true;
    if (!last)
        return PAOS_OK;
    conn->catalog_stale = true;
    return paosi_fail(conn, PAOS_INVALID, "classes change all the time");
}

static uint32_t flags_at(uint32_t flags, uint32_t level)
{
    for (; level > 0; level--)
        flags = paosi_trail_next(flags);
    return flags;
}

/* What came, row by row: what was asked for first, in the order in which it came. */
typedef struct arrivals
{
    paosi_arrival *items;
    size_t size, asked;
} arrivals;

static paos_status malformed(const paosi_reach *r)
{
    return paosi_fail(r->conn, PAOS_SERVER, "malformed objects");
}

static paos_status index_batch(const paosi_reach *r, paosi_class *class, paosi_batch *batch,
                               arrivals *all)
{
    uint32_t flags = flags_at(r->flags, batch->level);
    paosi_cell *cells = paosi_malloc(class->shape->count * sizeof *cells);
    paos_status status = cells ? PAOS_OK : paosi_fail_memory(r->conn);
    uint32_t i;

    for (i = 0; status == PAOS_OK && i < batch->rows; i++)
    {
        paosi_arrival *arrival = &all->items[all->size++];

        arrival->flags = flags;
        status = paosi_load_index(class, batch, cells, arrival);
    }
    paosi_free(cells);
    if (batch->level == 0)
        all->asked = all->size;
    return status;
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

static paos_status index_all(const paosi_reach *r, const paosi_result *result, arrivals *all)
{
    paos_status status = PAOS_OK;
    paosi_batch batch;
    size_t rows = 0;
    size_t i;

    for (i = 0; i < paosi_result_rows(result); i++)
        rows += paosi_batch_open(&batch, result, i) ? batch.rows : 0;
    all->items = paosi_malloc(rows * sizeof *all->items);
    if (!all->items)
        return paosi_fail_memory(r->conn);
    for (i = 0; status == PAOS_OK && i < paosi_result_rows(result); i++)
    {
        paosi_class *class;

        if (!paosi_batch_open(&batch, result, i))
            return malformed(r);
        class = paosi_class_by_number(r->conn, batch.class);
        if (class && !class->gone)
            status = index_batch(r, class, &batch, all);
        if (status == PAOS_OK)
            status = note_missing(r, &batch);
    }
    return status;
}

/* Moves arrivals from one array to another in the order of one byte of their ids. */
static void sort_by_byte(const paosi_arrival *from, paosi_arrival *to, size_t n, unsigned shift)
{
    size_t places[256] = {0}, next = 0, count, i;

    for (i = 0; i < n; i++)
        places[from[i].id >> shift & 255]++;
    for (i = 0; i < 256; i++)
    {
        count = places[i];
        places[i] = next;
        next += count;
    }
    for (i = 0; i < n; i++)
        to[places[from[i].id >> shift & 255]++] = from[i];
}

/* By id, byte by byte from the last: few bytes differ at all.  False: no memory. */
static bool sort_arrivals(paosi_arrival *items, size_t n)
{
    paosi_arrival *spare = paosi_malloc(n * sizeof *spare), *from = items, *to = spare, *other;
    uint64_t differing = 0;
    unsigned shift;
    size_t i;

    if (!spare)
        return false;
    for (i = 1; i < n; i++)
        differing |= items[i].id ^ items[0].id;
    for (shift = 0; shift < 64; shift += 8)
    {
        if (!(differing >> shift & 255))
            continue;
        sort_by_byte(from, to, n, shift);
        other = from;
        from = to;
        to = other;
    }
    if (from != items)
        memcpy(items, from, n * sizeof *items);
    paosi_free(spare);
    return true;
}

/* Objects of one class after each other, from `first`; as many. */
static size_t count_class(const arrivals *all, size_t first, size_t end)
{
    size_t i = first;

    while (i < end && paosi_id_class(all->items[i].id) == paosi_id_class(all->items[first].id))
        i++;
    return i - first;
}

static paos_status load_all(const paosi_reach *r, paosi_load *start, const arrivals *all)
{
    paos_status status = PAOS_OK;
    size_t i = 0;

    while (status == PAOS_OK && i < all->size)
    {
        paosi_load reached = {.conn = r->conn, .siblings = true};
        size_t n = count_class(all, i, i < all->asked ? all->asked : all->size);

        status = paosi_load_arrivals(i < all->asked ? start : &reached, all->items + i, n);
        i += n;
    }
    return status;
}

/*
 * In the order of their keys, objects lie in memory next to those that they were made
 * with, and these are mostly what a walk goes to next.
 */
paos_status paosi_reach_take(paosi_reach *r, paosi_load *start, const paosi_result *result)
{
    arrivals all = {0};
    paos_status status = index_all(r, result, &all);

    if (status == PAOS_OK && all.size > all.asked &&
        !sort_arrivals(all.items + all.asked, all.size - all.asked))
        status = paosi_fail_memory(r->conn);
    if (status == PAOS_OK)
        status = load_all(r, start, &all);
    if (status == PAOS_OK && !r->follow && !r->all)
        paosi_trail_brought(r->conn, r->flags, all.size - all.asked);
    paosi_free(all.items);
    return status;
}
