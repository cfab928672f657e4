/*
 * stored.c - objects as a commit has stored them: what the server has now, as far as it
 * can be known here.
 *
 * Rows of new objects are made before the commit, while the server is at work on it.
 * Nobody sees them until then: what is read of a new object is its draft.  When nothing
 * comes of the commit they have to go again.
 */
#include "commit.h"

static paosi_cell stored_cell(const paos_object *object, unsigned i)
{
    const paosi_column *column = &object->shape->columns[i];
    const bool is_new = object->flags & PAOSI_NEW;
    paosi_cell cell = {PAOSI_UNLOADED, NULL, 0};

    if (column->generated)
        return cell;
    if (object->draft)
        cell = paosi_draft_cell(object->draft, object->shape->count, i);
    if (cell.state != PAOSI_UNLOADED)
    {
        if (!paosi_draft_exact(object, i))
            cell.state = PAOSI_UNLOADED;
        return cell;
    }
    if (!is_new)
        return paosi_object_cell(object, i);
    if (!column->defaulted)
        cell.state = PAOSI_NULL;
    return cell;
}

/* NULL: it has to be loaded when it is asked for, also for lack of memory. */
static void *make_row(paos_object *object, uint32_t *flags)
{
    paos_conn *conn = paosi_object_conn(object);
    unsigned i;

    /* A trigger may write something else. */
    if (object->shape->class->restless)
        return NULL;
    paosi_row_begin(conn);
    for (i = 0; i < object->shape->count; i++)
    {
        paosi_cell cell = stored_cell(object, i);

        paosi_row_next(conn, cell.state);
        if (cell.state == PAOSI_VALUE)
            paosi_buffer_add(&conn->cells, cell.data, cell.size);
    }
    return paosi_row_finish(conn, object, flags);
}

void paosi_stored_prepare(paos_object *object)
{
    uint32_t flags = 0;

    object->row = make_row(object, &flags);
    object->flags |= flags;
}

void paosi_stored_undo(paos_object *const *objects, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (objects[i]->flags & PAOSI_NEW)
        {
            paosi_object_free_row(objects[i]);
            objects[i]->flags &= ~(uint32_t) (PAOSI_NARROW | PAOSI_PARTIAL);
        }
}

static void take_new(paos_object *object, uint32_t version)
{
    paosi_draft_drop(object);
    object->flags &= ~(uint32_t) PAOSI_NEW;
    paosi_object_take_row(object, object->shape, object->row, object->flags, version);
    paosi_cache_place(object);
}

/* The place in the row of what was changed; NULL: it does not fit there. */
static unsigned char *place_in_row(const paos_object *object, unsigned i, paosi_cell cell)
{
    paosi_cell old =
        paosi_row_cell(object->row, object->flags & PAOSI_NARROW, object->shape->count, i);

    if (cell.state != PAOSI_VALUE || old.state != PAOSI_VALUE || cell.size != old.size ||
        !paosi_draft_exact(object, i))
        return NULL;
    return (unsigned char *) old.data;
}

/* Does all that was changed fit in the place of what was there? */
static bool fits_row(const paos_object *object)
{
    const unsigned count = object->shape->count;
    unsigned i;

    if (!object->row || !object->draft || object->shape->generated ||
        object->shape->class->restless)
        return false;
    for (i = 0; i < count; i++)
        if (paosi_object_changed(object, i) &&
            !place_in_row(object, i, paosi_draft_cell(object->draft, count, i)))
            return false;
    return true;
}

static void *change_row(const paos_object *object, uint32_t *flags)
{
    const unsigned count = object->shape->count;
    unsigned i;

    for (i = 0; i < count; i++)
    {
        paosi_cell cell = paosi_draft_cell(object->draft, count, i);

        if (cell.state == PAOSI_VALUE && cell.size)
            memcpy(place_in_row(object, i, cell), cell.data, cell.size);
    }
    *flags = object->flags;
    return object->row;
}

static void take_changed(paos_object *object, uint32_t version)
{
    paosi_link links[PAOSI_LINKS] = {{NULL}};
    uint32_t flags = 0;
    void *row = fits_row(object) ? change_row(object, &flags) : make_row(object, &flags);

    if (row)
        paosi_links_keep(object, links);
    paosi_draft_drop(object);
    paosi_object_take_row(object, object->shape, row, flags, version);
    memcpy(object->links, links, sizeof links);
    paosi_cache_place(object);
}

/* New objects that were committed together are siblings. */
void paosi_stored_take(paos_object *const *objects, size_t n, uint64_t xid)
{
    /* Rows have the lower half of the number. */
    const uint32_t version = (uint32_t) xid;
    paos_object *leader = NULL;
    size_t i;

    for (i = 0; i < n; i++)
    {
        paos_object *object = objects[i];

        if (object->flags & PAOSI_DELETE)
            paosi_object_set_absent(object);
        else if (!(object->flags & PAOSI_NEW))
            take_changed(object, version);
        else
        {
            take_new(object, version);
            leader = leader ? leader : object;
            paosi_ring_join(object, leader);
        }
    }
}
