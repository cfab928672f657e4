/*
 * trail.c - learns which attributes a program follows, to load along them ahead.
 *
 * What a walk had to load for is what the next walk from the same class is given at
 * once, as far as walks went: not one step more, since each may be many times the
 * objects.  What the last walk did not follow is not loaded ahead again.
 *
 * A walk that goes on where no walk went pays for each kind of step, not for each step: one
 * that is taken again brings what such steps lead to, some levels of it and no more than
 * some times what the walk has loaded.
 */
#include "paos_int.h"

#include <limits.h>
#include <stdio.h>

/* What a step taken again brings at most: so many objects, which take about as long as a
 * round trip or two, or so many times what the walk has loaded. */
#define AGAIN 1000
#define AGAIN_TIMES 8
/* And so many levels, when there are more objects each time. */
#define WIDENING 2
/* A walk that touched less than this part of what was loaded ahead is to get less. */
#define WASTE 4
/* Objects of an answer for which a round trip more does not matter, and finding them twice does. */
#define WIDE 20000

static paosi_trail *trail_of(const paos_conn *conn, uint32_t flags)
{
    uint32_t number = flags >> PAOSI_TRAIL_SHIFT & PAOSI_TRAIL_MAX;

    return number && number <= conn->trails.size ? &conn->trails.items[number - 1] : NULL;
}

static unsigned level_of(uint32_t flags)
{
    return flags >> PAOSI_LEVEL_SHIFT & PAOSI_LEVEL_MAX;
}

/* ---- what was followed ---- */

static void drop_edge(paosi_trail *trail, size_t i)
{
    paosi_shape_release(trail->edges[i].shape);
    trail->edges[i] = trail->edges[--trail->size];
}

/* How far the walk that began last went, what was loaded ahead included. */
static void harvest_levels(paos_conn *conn)
{
    paosi_trail *trail = trail_of(conn, conn->trails.walk);
    unsigned deepest = conn->trails.deepest >> PAOSI_LEVEL_SHIFT;

    if (trail && trail->size > 0 && trail->levels < deepest)
        trail->levels = deepest;
}

/* Columns tell that they were followed since this was called last; now edges do. */
static void harvest(paos_conn *conn)
{
    size_t i, k;

    harvest_levels(conn);
    for (i = 0; i < conn->trails.size; i++)
        for (k = 0; k < conn->trails.items[i].size; k++)
        {
            paosi_edge *edge = &conn->trails.items[i].edges[k];

            edge->used |= edge->shape->columns[edge->position].followed;
        }
    for (i = 0; i < conn->trails.size; i++)
        for (k = 0; k < conn->trails.items[i].size; k++)
        {
            paosi_edge *edge = &conn->trails.items[i].edges[k];

            edge->shape->columns[edge->position].followed = false;
        }
}

/* Lessens what is loaded ahead when the last walk made little of it. */
static void judge(const paos_conn *conn, paosi_trail *trail)
{
    size_t i = 0;

    while (i < trail->size)
        if (trail->edges[i].used)
            i++;
        else
            drop_edge(trail, i);
    if (conn->stats.hits - trail->hits < trail->brought / WASTE || trail->size == 0)
        trail->levels /= 2;
}

/* NULL: no memory, which costs nothing but round trips. */
static paosi_edge *add_edge(paosi_trail *trail, paosi_shape *shape, unsigned position)
{
    paosi_edge *edge;

    if (!paosi_room(&trail->edges, sizeof *trail->edges, trail->size, &trail->capacity))
        return NULL;
    edge = &trail->edges[trail->size++];
    edge->shape = paosi_shape_hold(shape);
    edge->position = position;
    edge->level = PAOSI_LEVEL_MAX;
    return edge;
}

static paosi_edge *find_edge(paosi_trail *trail, const paosi_shape *shape, unsigned position)
{
    size_t i;

    for (i = 0; i < trail->size; i++)
        if (trail->edges[i].shape == shape && trail->edges[i].position == position)
            return &trail->edges[i];
    return NULL;
}

/* The last time that it was followed nearer to the origin, from whatever class of the extent. */
static const paosi_edge *find_before(const paosi_trail *trail, const paosi_shape *shape,
                                     unsigned position, unsigned level)
{
    size_t i;

    for (i = 0; i < trail->size; i++)
    {
        const paosi_edge *edge = &trail->edges[i];

        if (edge->level < level && edge->shape->class->root == shape->class->root &&
            strcmp(edge->shape->columns[edge->position].name, shape->columns[position].name) == 0)
            return edge;
    }
    return NULL;
}

/*
 * How many levels come with what a step leads to.  Where the walk does not widen as far again
 * as it has come; where it does, each level may be many times the objects of the last.
 */
static unsigned levels_again(const paosi_trail *trail, const paosi_shape *shape, unsigned position,
                             unsigned level, size_t objects)
{
    const paosi_edge *before = find_before(trail, shape, position, level);

    if (!before)
        return 0;
    if (objects > before->asked)
        return WIDENING;
    return level < PAOSI_LEVEL_MAX ? level + 1 : INT_MAX;
}

/* ---- trails ---- */

static bool make_trail(paos_conn *conn, paosi_class *class)
{
    paosi_trails *trails = &conn->trails;
    paosi_trail *items;

    if (class->trail)
        return true;
    if (trails->size == PAOSI_TRAIL_MAX)
        return false;
    items = paosi_realloc(trails->items, (trails->size + 1) * sizeof *items);
    if (!items)
        return false;
    memset(&items[trails->size], 0, sizeof *items);
    trails->items = items;
    class->trail = (uint8_t) ++trails->size;
    return true;
}

uint32_t paosi_trail_begin(paos_conn *conn, paosi_class *class)
{
    paosi_trail *trail;
    size_t i;

    if (conn->trails.most == 0 || !make_trail(conn, class))
        return 0;
    trail = &conn->trails.items[class->trail - 1];
    harvest(conn);
    if (trail->ahead)
        judge(conn, trail);
    for (i = 0; i < trail->size; i++)
        trail->edges[i].used = false;
    trail->ahead = false;
    trail->again = 0;
    trail->brought = trail->loaded = 0;
    trail->hits = conn->stats.hits;
    trail->walk = (trail->walk + 1) & PAOSI_WALK_MAX;
    conn->trails.deepest = 0;
    conn->trails.walk = (uint32_t) class->trail << PAOSI_TRAIL_SHIFT | trail->walk
                                                                           << PAOSI_WALK_SHIFT;
    return conn->trails.walk;
}

uint32_t paosi_trail_miss(const paos_object *object, unsigned position, size_t objects)
{
    uint32_t flags = paosi_trail_next(object->flags & PAOSI_POLICY);
    paosi_trail *trail = trail_of(paosi_object_conn(object), object->flags);
    unsigned level = level_of(object->flags);
    paosi_edge *edge;

    if (!trail)
        return flags;
    trail->again = levels_again(trail, object->shape, position, level, objects);
    edge = find_edge(trail, object->shape, position);
    if (!edge)
    {
        edge = add_edge(trail, object->shape, position);
        /* It will bring more than before. */
        trail->sparse = false;
    }
    if (edge)
    {
        edge->used = true;
        edge->asked = objects;
        edge->level = edge->level < level ? edge->level : level;
    }
    /* How far it is from where an older walk began says nothing of this one. */
    if ((object->flags >> PAOSI_WALK_SHIFT & PAOSI_WALK_MAX) == trail->walk &&
        level >= trail->levels)
    {
        trail->levels = level + 1;
        trail->sparse = false;
    }
    return flags;
}

paosi_ahead paosi_trail_ahead(const paos_conn *conn, uint32_t flags)
{
    const paosi_trail *trail = conn->trails.most ? trail_of(conn, flags) : NULL;
    paosi_ahead ahead = {0, conn->trails.most};
    unsigned level = level_of(flags);
    size_t again;

    if (!trail || trail->size == 0)
        return ahead;
    if (trail->levels > level && level < PAOSI_LEVEL_MAX)
        ahead.levels = trail->levels > PAOSI_LEVEL_MAX ? INT_MAX : trail->levels - level;
    if (trail->again <= ahead.levels)
        return ahead;
    again = AGAIN_TIMES * trail->loaded;
    again = again < AGAIN ? AGAIN : again;
    ahead.levels = trail->again;
    ahead.most = ahead.most < again ? ahead.most : again;
    return ahead;
}

bool paosi_trail_follow(const paos_conn *conn, uint32_t flags, paosi_buffer *out)
{
    const paosi_trail *trail = trail_of(conn, flags);
    size_t i;

    paosi_buffer_add32(out, 1);
    paosi_buffer_add32(out, 0);
    paosi_buffer_add32(out, PAOSI_OID_TEXT);
    paosi_buffer_add32(out, (uint32_t) trail->size);
    paosi_buffer_add32(out, 1);
    for (i = 0; i < trail->size; i++)
    {
        const paosi_shape *shape = trail->edges[i].shape;
        const char *name = shape->columns[trail->edges[i].position].name;
        char class[16];

        snprintf(class, sizeof class, "%u:", shape->class->root->number);
        paosi_buffer_add32(out, (uint32_t) (strlen(class) + strlen(name)));
        paosi_buffer_text(out, class);
        paosi_buffer_text(out, name);
    }
    return !out->failed;
}

void paosi_trail_loaded(paos_conn *conn, uint32_t flags, size_t objects)
{
    paosi_trail *trail = trail_of(conn, flags);

    if (trail)
        trail->loaded += objects;
}

void paosi_trail_brought(paos_conn *conn, uint32_t flags, size_t objects, bool sparse)
{
    paosi_trail *trail = trail_of(conn, flags);

    if (!trail)
        return;
    trail->loaded += objects;
    /* A step taken again was a guess at how far: it says nothing of what was learned. */
    trail->ahead |= !trail->again;
    trail->brought += trail->again ? 0 : objects;
    /* The middle of a walk says nothing of a whole one. */
    if (level_of(flags) == 0)
        trail->sparse |= sparse;
}

bool paosi_trail_sparse(const paos_conn *conn, uint32_t flags)
{
    const paosi_trail *trail = trail_of(conn, flags);

    return trail && trail->sparse;
}

void paosi_trail_began(paos_conn *conn, uint32_t flags, size_t objects)
{
    paosi_trail *trail = trail_of(conn, flags);

    if (trail)
        trail->begun = objects;
    paosi_trail_loaded(conn, flags, objects);
}

bool paosi_trail_wide(const paos_conn *conn, uint32_t flags)
{
    const paosi_trail *trail = trail_of(conn, flags);

    return trail && trail->begun > WIDE;
}

void paosi_trail_forget(paos_conn *conn, uint32_t flags)
{
    paosi_trail *trail = trail_of(conn, flags);

    while (trail && trail->size > 0)
        drop_edge(trail, trail->size - 1);
    if (trail)
        trail->levels = trail->again = 0;
}

void paosi_trails_free(paos_conn *conn)
{
    size_t i;

    for (i = 0; i < conn->trails.size; i++)
    {
        while (conn->trails.items[i].size > 0)
            drop_edge(&conn->trails.items[i], conn->trails.items[i].size - 1);
        paosi_free(conn->trails.items[i].edges);
    }
    paosi_free(conn->trails.items);
}

paos_status paos_conn_set_ahead(paos_conn *conn, size_t objects)
{
    if (!conn)
        return PAOS_INVALID;
    conn->trails.most = objects;
    return PAOS_OK;
}
