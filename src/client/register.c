/*
 * register.c - ids for new objects.
 *
 * Ids are drawn from the server in blocks that grow, so that objects made one
 * by one do not cost a round trip each; what is left of a block stays for
 * later.  References to an object by its temporary identity are set right
 * before the identity goes.
 */
#include "paos_int.h"

#define BLOCK_FIRST 16
#define BLOCK_MAX 1024

/* ---- blocks ---- */

static size_t available(const paosi_class *class)
{
    return class->ids_size - class->ids_used;
}

/* Adds the ids of an array to the class's; the class has room for them. */
static void take_ids(paosi_class *class, const paosi_result *result)
{
    paosi_cell cell = {PAOSI_VALUE, NULL, 0};
    paosi_elements elements;

    if (paosi_result_rows(result) == 1)
        cell.data = paosi_result_value(result, 0, 0, &cell.size);
    if (!cell.data)
        return;
    elements = paosi_array_begin(cell);
    while (class->ids_size < class->ids_capacity && paosi_array_next(&elements, &cell))
        if (cell.size == 8)
            class->ids[class->ids_size++] = paosi_read64(cell.data);
}

/* Makes room for what will be asked for, and drops what was used. */
static bool make_room(paosi_class *class, size_t more)
{
    size_t left = available(class);
    uint64_t *ids;

    if (left && class->ids_used)
        memmove(class->ids, class->ids + class->ids_used, left * sizeof *ids);
    class->ids_used = 0;
    class->ids_size = left;
    if (left + more <= class->ids_capacity)
        return true;
    ids = paosi_realloc(class->ids, (left + more) * sizeof *ids);
    if (!ids)
        return false;
    class->ids = ids;
    class->ids_capacity = left + more;
    return true;
}

/* How many ids to ask for; 0: there are enough. */
static size_t shortage(paosi_class *class)
{
    size_t missing;

    if (available(class) >= class->wanted)
        return 0;
    missing = class->wanted - available(class);
    class->ids_block = class->ids_block ? 2 * class->ids_block : BLOCK_FIRST;
    if (class->ids_block > BLOCK_MAX)
        class->ids_block = BLOCK_MAX;
    return missing > class->ids_block ? missing : class->ids_block;
}

/* What is asked of the server for one class. */
typedef struct order
{
    paosi_class *class;
    unsigned char table[4], count[4];
    paosi_parameter parameters[2];
} order;

static void order_make(order *o, paosi_class *class, size_t count, paosi_statement *statement)
{
    const paosi_parameter parameters[2] = {{PAOSI_OID_OID, false, o->table, 4},
                                           {PAOSI_OID_INT4, false, o->count, 4}};

    o->class = class;
    paosi_write32(o->table, class->table);
    paosi_write32(o->count, (uint32_t) count);
    memcpy(o->parameters, parameters, sizeof parameters);
    statement->sql = "SELECT pg_catalog.array_agg(r) FROM"
                     " paos.register_objects($1::pg_catalog.regclass, $2) r";
    statement->parameters = o->parameters;
    statement->count = 2;
}

/* One round trip for all classes that lack ids; none when no one does. */
static paos_status draw(paos_conn *conn, order *orders, paosi_statement *statements,
                        paosi_result **results)
{
    paos_status status;
    size_t n = 0;
    size_t i;

    for (i = 0; i < conn->classes_size; i++)
    {
        paosi_class *class = conn->classes[i];
        size_t count = class && class->wanted ? shortage(class) : 0;

        if (count > INT32_MAX)
            return paosi_fail(conn, PAOS_INVALID, "too many new objects");
        if (count && !make_room(class, count))
            return paosi_fail_memory(conn);
        if (count)
            order_make(&orders[n], class, count, &statements[n]);
        n += count > 0;
    }
    if (n == 0)
        return PAOS_OK;
    status = paosi_conn_ask(conn, statements, n, results);
    for (i = 0; status == PAOS_OK && i < n; i++)
    {
        take_ids(orders[i].class, results[i]);
        if (available(orders[i].class) < orders[i].class->wanted)
            status =
                paosi_fail(conn, PAOS_SERVER, "class %s gave too few ids", orders[i].class->name);
    }
    paosi_results_free(results, n);
    return status;
}

static paos_status draw_all(paos_conn *conn)
{
    size_t n = conn->classes_size;
    order *orders = paosi_malloc(n * sizeof *orders);
    paosi_statement *statements = paosi_calloc(n, sizeof *statements);
    paosi_result **results = paosi_calloc(n, sizeof *results);
    paos_status status = PAOS_NO_MEMORY;

    if (orders && statements && results)
        status = draw(conn, orders, statements, results);
    else
        paosi_fail_memory(conn);
    paosi_free(orders);
    paosi_free(statements);
    paosi_free(results);
    return status;
}

/* ---- objects ---- */

/* Is the identity free?  A remembered absence that nobody holds makes way. */
static bool is_free(paos_conn *conn, uint64_t identity)
{
    paos_object *other = paosi_map_find(conn, identity);

    if (!other)
        return true;
    if (!(other->flags & PAOSI_ABSENT) || other->holds)
        return false;
    paosi_cache_drop(conn, other);
    return true;
}

/* The next free id of the class; 0: none left. */
static uint64_t next_id(paosi_class *class)
{
    while (available(class))
    {
        uint64_t id = class->ids[class->ids_used++];

        if (is_free(class->conn, paosi_id_make(class->root, paosi_id_key(id))))
            return id;
    }
    return 0;
}

static bool lacks_id(const paos_object *object)
{
    return object->flags & PAOSI_NEW && paosi_id_temporary(object->id);
}

/* Notes ids as keys; marked objects have one, at the place in `ids` that is their version. */
static paos_status choose(paos_object *const *objects, size_t n, uint64_t *ids)
{
    size_t i;

    for (i = 0; i < n; i++)
    {
        paos_object *object = objects[i];
        paos_status status;

        if (!lacks_id(object) || object->flags & PAOSI_MARK)
            continue;
        ids[i] = next_id(object->shape->class);
        if (!ids[i])
            continue;
        status = paosi_draft_set_key(object, paosi_id_key(ids[i]));
        if (status != PAOS_OK)
            return status;
        object->version = (uint32_t) i;
        object->flags |= PAOSI_MARK;
    }
    return PAOS_OK;
}

static void rename_marked(paos_conn *conn, paos_object *const *objects, size_t n,
                          const uint64_t *ids)
{
    size_t i;

    paosi_draft_settle(conn, ids);
    for (i = 0; i < n; i++)
    {
        paos_object *object = objects[i];

        if (!(object->flags & PAOSI_MARK))
            continue;
        object->flags &= ~(uint32_t) PAOSI_MARK;
        paosi_map_rename(
            conn, object,
            paosi_id_make(object->shape->class->root, paosi_id_key(ids[object->version])));
        object->version = 0;
    }
}

/* Counts what is wanted of each class; false: nothing. */
static bool count_wanted(paos_conn *conn, paos_object *const *objects, size_t n)
{
    size_t total = 0;
    size_t i;

    for (i = 0; i < conn->classes_size; i++)
        if (conn->classes[i])
            conn->classes[i]->wanted = 0;
    for (i = 0; i < n; i++)
    {
        if (!lacks_id(objects[i]))
            continue;
        objects[i]->shape->class->wanted++;
        total++;
    }
    return total > 0;
}

paos_status paosi_register(paos_conn *conn, paos_object *const *objects, size_t n)
{
    paos_status status = PAOS_OK;
    uint64_t *ids;

    /* Again only when an id that was drawn turned out to be taken here. */
    while (status == PAOS_OK && count_wanted(conn, objects, n))
    {
        status = draw_all(conn);
        ids = status == PAOS_OK ? paosi_malloc(n * sizeof *ids) : NULL;
        if (status != PAOS_OK)
            return status;
        if (!ids)
            return paosi_fail_memory(conn);
        status = choose(objects, n, ids);
        rename_marked(conn, objects, n, ids);
        paosi_free(ids);
    }
    return status;
}

paos_status paosi_register_as(paos_object *object, uint64_t key)
{
    paos_conn *conn = paosi_object_conn(object);
    const paosi_class *class = object->shape->class;
    uint64_t id = paosi_id_make(class, key);
    paos_status status;

    if (!is_free(conn, paosi_id_make(class->root, key)))
        return paosi_fail(conn, PAOS_INVALID, "object %u:%llu is here already", class->number,
                          (unsigned long long) key);
    status = paosi_draft_set_key(object, key);
    if (status != PAOS_OK)
        return status;
    object->version = 0;
    object->flags |= PAOSI_MARK;
    rename_marked(conn, &object, 1, &id);
    return PAOS_OK;
}

paos_status paos_register(paos_conn *conn, paos_object *const *objects, size_t n)
{
    paos_status status;

    if (!conn)
        return PAOS_INVALID;
    status = paosi_objects_check(conn, objects, n);
    return status == PAOS_OK ? paosi_register(conn, objects, n) : status;
}
