/*
 * fake_reach.c - paos.reach and paos.answer on the fake database, an object a batch.
 *
 * What it is asked is read from the end of the statement, where it always is the same:
 * attributes to follow, levels, number of objects, objects that are known.  Without
 * that nothing is followed.
 */
#include "fake_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MOST_MET 2000

typedef struct walk
{
    const fake_sent *sent;
    fake_table *out;
    bool all; /* follow every reference */
    const paosi_parameter *names, *known;
    unsigned levels;
    unsigned long left; /* objects that may still be met */
    paos_id met[MOST_MET];
    unsigned at[MOST_MET]; /* how far from the start */
    size_t size;
} walk;

/* ---- what is asked ---- */

static const char *back_to_comma(const char *start, const char *place)
{
    while (place > start && *--place != ',')
        ;
    return place;
}

static void read_end(walk *w)
{
    const char *sql = w->sent->sql;
    const char *place = sql + strlen(sql);
    unsigned names = 0, known = 0;
    int i;

    for (i = 0; i < 4; i++)
        place = back_to_comma(sql, place);
    w->all = sscanf(place, ", NULL, %u, %lu, $%u)", &w->levels, &w->left, &known) == 3;
    if (!w->all && sscanf(place, ", $%u, %u, %lu, $%u)", &names, &w->levels, &w->left, &known) != 4)
    {
        assert_int_equal(strncmp(sql, "SELECT paos.answer(", 19), 0);
        w->levels = 0;
        return;
    }
    w->names = w->all ? NULL : &w->sent->parameters[names - 1];
    w->known = &w->sent->parameters[known - 1];
    assert_int_equal(known, w->sent->count);
    assert_int_equal(w->known->size % 16, 0);
}

static unsigned root_of(unsigned number)
{
    while (fake_relation_of(number)->parent)
        number = fake_relation_of(number)->parent;
    return number;
}

static uint64_t identity_of(paos_id id)
{
    return fake_id(root_of(paosi_id_class(id)), (int64_t) paosi_id_key(id));
}

static bool is_known(const walk *w, uint64_t identity)
{
    const unsigned char *block = (const unsigned char *) w->known->data;
    size_t i;

    for (i = 0; i < w->known->size; i += 16)
        if (paosi_read64(block + i) == identity >> 6 &&
            paosi_read64(block + i + 8) >> (identity & 63) & 1)
            return true;
    return false;
}

static bool is_followed(const walk *w, const fake_relation *relation, const char *column)
{
    paosi_cell cell = {PAOSI_VALUE, NULL, 0};
    paosi_elements elements;
    char full[64];

    if (w->all)
        return true;
    snprintf(full, sizeof full, "%u:%s", root_of(relation->number), column);
    cell.data = (const unsigned char *) w->names->data;
    cell.size = w->names->size;
    elements = paosi_array_begin(cell);
    while (paosi_array_next(&elements, &cell))
        if ((cell.size == strlen(full) && memcmp(cell.data, full, cell.size) == 0) ||
            (cell.size == strlen(column) && memcmp(cell.data, column, cell.size) == 0))
            return true;
    return false;
}

/* ---- walking ---- */

static void meet(walk *w, paos_id id, unsigned level)
{
    size_t i;

    if (!id || level > w->levels || (level > 0 && w->left == 0) ||
        (level > 0 && is_known(w, identity_of(id))))
        return;
    for (i = 0; i < w->size; i++)
        if (identity_of(w->met[i]) == identity_of(id))
            return;
    assert_true(w->size < MOST_MET);
    w->met[w->size] = id;
    w->at[w->size++] = level;
    w->left -= level > 0;
}

static void meet_array(walk *w, const fake_datum *datum, unsigned level)
{
    paosi_cell cell = {PAOSI_VALUE, datum->data, datum->size};
    paosi_elements elements = paosi_array_begin(cell);

    while (paosi_array_next(&elements, &cell))
        if (cell.size == 8)
            meet(w, paosi_read64(cell.data), level);
}

static void follow(walk *w, const fake_relation *asked, size_t i, const fake_datum *datum,
                   unsigned level)
{
    const fake_attribute *column = &asked->columns[i];

    if (!datum->data || level > w->levels || !is_followed(w, asked, column->name))
        return;
    if (column->oid == FAKE_REFS)
        meet_array(w, datum, level);
    else if (column->oid == FAKE_REF)
        meet(w, (paos_id) fake_datum_int(datum), level);
    else if (column->target)
        meet(w, fake_id(column->target, fake_datum_int(datum)), level);
}

static void put32(unsigned char *place, uint32_t value)
{
    paosi_write32(place, value);
}

/* Of one object, packed, or of a ref that names none. */
static fake_cell batch_of(const fake_relation *asked, unsigned level, const void *data, size_t size,
                          bool found)
{
    unsigned char *bytes = malloc(20 + size);
    fake_cell cell;

    assert_non_null(bytes);
    put32(bytes, asked->number);
    put32(bytes + 4, fake_shape(asked));
    put32(bytes + 8, level);
    put32(bytes + 12, found);
    put32(bytes + 16, !found);
    memcpy(bytes + 20, data, size);
    cell = fake_bytes(bytes, 20 + size);
    free(bytes);
    return cell;
}

fake_cell fake_batch(unsigned number, fake_cell packed)
{
    const char *row = packed.data;

    return batch_of(fake_relation_of(number), 0, row + 4, packed.size - 4, true);
}

static void put_batch(walk *w, const fake_relation *asked, unsigned level, const void *data,
                      size_t size, bool found)
{
    fake_table_row(w->out, (const fake_cell[]){batch_of(asked, level, data, size, found)});
}

static void send_tuple(walk *w, const fake_relation *asked, const fake_relation *own,
                       const fake_tuple *tuple, unsigned level)
{
    fake_cell cells[2 + FAKE_COLUMNS], packed;
    size_t i;

    cells[0] = fake_int4(10000 + own->number);
    cells[1] = fake_int4(tuple->xmin);
    for (i = 0; i < asked->width; i++)
    {
        const fake_datum *datum = &tuple->values[fake_place(own, asked->columns[i].name)];

        cells[2 + i] = datum->data ? fake_bytes(datum->data, datum->size) : fake_null();
        follow(w, asked, i, datum, level + 1);
    }
    packed = fake_pack_of(0, cells, 2 + asked->width);
    put_batch(w, asked, level, (const char *) packed.data + 4, packed.size - 4, true);
    fake_cell_free(packed);
}

static void send(walk *w, paos_id id, unsigned level)
{
    const fake_relation *asked = fake_relation_of(paosi_id_class(id));
    unsigned char missing[8];
    unsigned number;

    for (number = 1; number <= FAKE_CLASSES; number++)
    {
        const fake_relation *own = &fake_relations[number - 1];
        const fake_tuple *tuple = own->number && fake_descends(own, asked->number)
                                      ? fake_rows_find(fake_visible(number), paosi_id_key(id))
                                      : NULL;

        if (!tuple)
            continue;
        send_tuple(w, asked, own, tuple, level);
        return;
    }
    paosi_write64(missing, id);
    put_batch(w, asked, level, missing, sizeof missing, false);
}

/* The array of refs, or what the query finds. */
static void begin(walk *w)
{
    unsigned table = 0, number;
    size_t i;

    if (strncmp(w->sent->sql, "SELECT paos.reach($1", 20) == 0)
    {
        const fake_datum start = {(unsigned char *) w->sent->parameters[0].data,
                                  w->sent->parameters[0].size};

        meet_array(w, &start, 0);
        return;
    }
    assert_int_equal(sscanf(w->sent->sql, "SELECT paos.answer(%u::", &table), 1);
    for (number = 1; number <= FAKE_CLASSES; number++)
        for (i = 0; fake_relations[number - 1].number &&
                    fake_descends(&fake_relations[number - 1], table - 10000) &&
                    i < fake_visible(number)->size;
             i++)
        {
            int64_t key = fake_datum_int(&fake_visible(number)->tuples[i].values[0]);

            if (!strstr(w->sent->sql, "::paos.query") || key <= fake_query_most())
                meet(w, fake_id(table - 10000, key), 0);
        }
}

void fake_rows_reach(const fake_sent *sent, fake_table *out, void *arg)
{
    walk *w = calloc(1, sizeof *w);
    size_t i;

    (void) arg;
    assert_non_null(w);
    w->sent = sent;
    w->out = out;
    read_end(w);
    fake_table_columns(out, "reach bytea");
    begin(w);
    for (i = 0; i < w->size; i++)
        send(w, w->met[i], w->at[i]);
    free(w);
}
