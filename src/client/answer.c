/*
 * answer.c - ids and versions of the objects in a request's answer.
 *
 * Twelve bytes an object, which is what it costs that nothing is missed: after
 * any gap the difference to what is there now can be told.  A hash table with
 * open addressing; taking one out moves up those behind it.
 */
#include "paos_int.h"

#define FIRST_CAPACITY 8

/* Identities of a class differ in their low bits only, so they are spread. */
static size_t place_of(const paosi_answer *answer, uint64_t id)
{
    return (size_t) (id * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (answer->capacity - 1);
}

/* Where the id is, or the free place where it would go. */
static size_t find(const paosi_answer *answer, uint64_t id)
{
    size_t place = place_of(answer, id);

    while (answer->ids[place] != 0 && answer->ids[place] != id)
        place = (place + 1) & (answer->capacity - 1);
    return place;
}

void paosi_answer_free(paosi_answer *answer)
{
    paosi_free(answer->ids);
    paosi_free(answer->versions);
    memset(answer, 0, sizeof *answer);
}

bool paosi_answer_has(const paosi_answer *answer, uint64_t id, uint32_t *version)
{
    size_t place;

    if (answer->size == 0)
        return false;
    place = find(answer, id);
    if (answer->ids[place] == 0)
        return false;
    *version = answer->versions[place];
    return true;
}

void paosi_answer_forget(paosi_answer *answer)
{
    if (answer->capacity)
        memset(answer->versions, 0, answer->capacity * sizeof *answer->versions);
}

static bool grow(paosi_answer *answer)
{
    paosi_answer larger = {0};
    size_t i;

    larger.capacity = answer->capacity ? 2 * answer->capacity : FIRST_CAPACITY;
    larger.ids = paosi_calloc(larger.capacity, sizeof *larger.ids);
    larger.versions = paosi_malloc(larger.capacity * sizeof *larger.versions);
    if (!larger.ids || !larger.versions)
    {
        paosi_answer_free(&larger);
        return false;
    }
    for (i = 0; i < answer->capacity; i++)
    {
        size_t place;

        if (answer->ids[i] == 0)
            continue;
        place = find(&larger, answer->ids[i]);
        larger.ids[place] = answer->ids[i];
        larger.versions[place] = answer->versions[i];
    }
    larger.size = answer->size;
    paosi_answer_free(answer);
    *answer = larger;
    return true;
}

bool paosi_answer_put(paosi_answer *answer, uint64_t id, uint32_t version)
{
    size_t place;

    if (4 * (answer->size + 1) > 3 * answer->capacity && !grow(answer))
        return false;
    place = find(answer, id);
    answer->size += answer->ids[place] == 0;
    answer->ids[place] = id;
    answer->versions[place] = version;
    return true;
}

/* May what is at `from` be moved to the free `to` without coming before its own place? */
static bool reaches(const paosi_answer *answer, size_t from, size_t to)
{
    size_t home = place_of(answer, answer->ids[from]);
    size_t mask = answer->capacity - 1;

    return ((from - home) & mask) >= ((from - to) & mask);
}

bool paosi_answer_remove(paosi_answer *answer, uint64_t id)
{
    size_t hole, next;

    if (answer->size == 0)
        return false;
    hole = find(answer, id);
    if (answer->ids[hole] == 0)
        return false;
    for (next = hole;;)
    {
        next = (next + 1) & (answer->capacity - 1);
        if (answer->ids[next] == 0)
            break;
        if (!reaches(answer, next, hole))
            continue;
        answer->ids[hole] = answer->ids[next];
        answer->versions[hole] = answer->versions[next];
        hole = next;
    }
    answer->ids[hole] = 0;
    answer->size--;
    return true;
}

bool paosi_answer_compare(const paosi_answer *before, const paosi_answer *after, paosi_ids *entered,
                          paosi_ids *changed, paosi_ids *left)
{
    uint32_t version;
    size_t i;

    for (i = 0; i < after->capacity; i++)
    {
        uint64_t id = after->ids[i];

        if (id == 0)
            continue;
        if (!paosi_answer_has(before, id, &version))
        {
            if (!paosi_ids_add(entered, id))
                return false;
        }
        else if (version != after->versions[i] && !paosi_ids_add(changed, id))
            return false;
    }
    for (i = 0; i < before->capacity; i++)
        if (before->ids[i] != 0 && !paosi_answer_has(after, before->ids[i], &version) &&
            !paosi_ids_add(left, before->ids[i]))
            return false;
    return true;
}
