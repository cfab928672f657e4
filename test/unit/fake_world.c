/*
 * fake_world.c - a small database behind the fake server: classes, rows, transactions.
 *
 * A connection that ends takes its transaction with it, as the real one does:
 * fake_in_transaction is then false, and what was not committed is gone.
 */
#include "fake_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

fake_rows fake_committed[FAKE_CLASSES];

static fake_rows working[FAKE_CLASSES];
static bool in_transaction;
static size_t ends; /* of connections, when the transaction began */
static uint32_t last_xid;
static int64_t last_key;
static int64_t query_most;

/* ---- transactions ---- */

fake_rows *fake_visible(unsigned number)
{
    return in_transaction ? &working[number - 1] : &fake_committed[number - 1];
}

uint32_t fake_xid(void)
{
    return last_xid;
}

static void leave(bool commit)
{
    size_t i;

    for (i = 0; in_transaction && i < FAKE_CLASSES; i++)
    {
        fake_rows_clear(commit ? &fake_committed[i] : &working[i]);
        if (!commit)
            continue;
        fake_committed[i] = working[i];
        memset(&working[i], 0, sizeof working[i]);
    }
    in_transaction = false;
}

/* What an ended connection leaves of its transaction. */
static void settle(void)
{
    if (fake_ends() != ends)
        leave(false);
}

static void answer_begin(const fake_sent *sent, fake_table *out, void *arg)
{
    size_t i;

    (void) sent;
    (void) out;
    (void) arg;
    settle();
    if (in_transaction)
        fail_msg("BEGIN in a transaction");
    for (i = 0; i < FAKE_CLASSES; i++)
        fake_rows_copy(&working[i], &fake_committed[i]);
    in_transaction = true;
    ends = fake_ends();
    last_xid++;
}

static void answer_end(const fake_sent *sent, fake_table *out, void *arg)
{
    (void) out;
    (void) arg;
    leave(strcmp(sent->sql, "COMMIT") == 0);
}

/* 64 bits, of which a row's version is the lower half. */
static void answer_xid(const fake_sent *sent, fake_table *out, void *arg)
{
    (void) sent;
    (void) arg;
    fake_table_columns(out, "xid int8");
    fake_table_row(out, (const fake_cell[]){fake_int8((INT64_C(5) << 32) + last_xid)});
}

bool fake_in_transaction(void)
{
    settle();
    return in_transaction;
}

/* ---- other statements ---- */

static void answer_ids(const fake_sent *sent, fake_table *out, void *arg)
{
    unsigned number = paosi_read32(sent->parameters[0].data) - 10000;
    uint32_t n = paosi_read32(sent->parameters[1].data);
    fake_cell *refs = calloc(n, sizeof *refs);
    uint32_t i;

    (void) arg;
    for (i = 0; i < n; i++)
        refs[i] = fake_ref(number, ++last_key);
    fake_table_columns(out, "array_agg ref[]");
    fake_table_row(out, (const fake_cell[]){fake_array_of(FAKE_REF, refs, n)});
    free(refs);
}

/* ---- requests ---- */

#define FULL_XID ((INT64_C(5) << 32) + last_xid)

static int64_t last_request;

/* Each gets a number; the elements of an array as many, and for one of its own the query too. */
static void answer_subscribe(const fake_sent *sent, fake_table *out, void *arg)
{
    bool many = strstr(sent->sql, "WITH ORDINALITY") != NULL;
    uint32_t n = many ? paosi_read32((const unsigned char *) sent->parameters[0].data + 12) : 1;

    (void) arg;
    fake_table_columns(out,
                       many ? "id int8, xid int8" : "id int8, query text, bound text, xid int8");
    while (n-- > 0)
    {
        fake_cell id = fake_int8(++last_request);

        if (many)
            fake_table_row(out, (const fake_cell[]){id, fake_int8(FULL_XID)});
        else
            fake_table_row(out, (const fake_cell[]){id, fake_text(sent->parameters[0].data),
                                                    fake_text("{1}"), fake_int8(FULL_XID)});
    }
}

/* The texts of requests: none is ever another one. */
static void answer_wording(const fake_sent *sent, fake_table *out, void *arg)
{
    const unsigned char *at = sent->parameters[1].data;
    uint32_t n = paosi_read32(at + 12);

    (void) arg;
    fake_table_columns(out, "query text");
    for (at += 20; n > 0; n--)
    {
        uint32_t size = paosi_read32(at);
        char text[400];

        snprintf(text, sizeof text, "%.*s", (int) size, (const char *) at + 4);
        fake_table_row(out, (const fake_cell[]){fake_text(text)});
        at += 4 + size;
    }
}

/* Nobody else is ever at work. */
static void answer_snapshot(const fake_sent *sent, fake_table *out, void *arg)
{
    char text[64];

    (void) sent;
    (void) arg;
    snprintf(text, sizeof text, "%lld:%lld:", (long long) FULL_XID + 1, (long long) FULL_XID + 1);
    fake_table_columns(out, "snapshot text");
    fake_table_row(out, (const fake_cell[]){fake_text(text)});
}

void fake_tell(int64_t request, const char *lists)
{
    char text[400];

    snprintf(text, sizeof text,
             "{\"request\":%lld,%s,\"author\":{\"host\":\"h\",\"pid\":1,\"uid\":2,"
             "\"app\":\"editor\"},\"xid\":\"%lld\",\"part\":[1,1]}",
             (long long) request, lists, (long long) FULL_XID);
    fake_notify(text);
}

static void add_rules(void)
{
    fake_rule *rule = fake_on("FROM pg_catalog.pg_extension");

    fake_columns(rule, "oid oid, typarray oid");
    fake_row(rule, fake_int4(FAKE_REF), fake_int4(FAKE_REFS));
    fake_on("paos.introduce");
    fake_on("paos.release()");
    rule = fake_on("pg_walfile_name");
    fake_columns(rule, "substr text");
    fake_row(rule, fake_text("00000001"));
    rule = fake_on("paos.lock_all");
    fake_columns(rule, "lock_all bool");
    fake_row(rule, fake_bool(true));
    fake_catalog_rules();
    fake_call(fake_on("paos.register_objects"), answer_ids, NULL);
    fake_call(fake_on(FAKE_SELECT), fake_rows_select, NULL);
    fake_call(fake_on("SELECT o$."), fake_rows_look, NULL);
    fake_call(fake_on("SELECT paos.reach("), fake_rows_reach, NULL);
    fake_call(fake_on(FAKE_ANSWER), fake_rows_reach, NULL);
    fake_on("paos.unsubscribe(");
    fake_call(fake_on("pg_current_snapshot"), answer_snapshot, NULL);
    fake_call(fake_on("INSERT INTO "), fake_rows_insert, NULL);
    fake_call(fake_on("UPDATE "), fake_rows_update, NULL);
    fake_call(fake_on("DELETE FROM "), fake_rows_delete, NULL);
    fake_call(fake_on("BEGIN"), answer_begin, NULL);
    fake_call(fake_on("paos.copy("), fake_rows_copy_in, NULL);
    fake_call(fake_on("=ROLLBACK"), answer_end, NULL);
    fake_call(fake_on("=COMMIT"), answer_end, NULL);
    fake_call(fake_on("pg_current_xact_id"), answer_xid, NULL);
    fake_call(fake_on("paos.subscribe("), answer_subscribe, NULL);
    fake_call(fake_on("paos.query_present("), answer_wording, NULL);
}

/* ---- rows ---- */

void fake_query_finds(int64_t most)
{
    query_most = most;
}

int64_t fake_query_most(void)
{
    return query_most;
}

paos_id fake_id(unsigned number, int64_t key)
{
    return (paos_id) number << PAOSI_KEY_BITS | (paos_id) key;
}

fake_cell fake_ref(unsigned number, int64_t key)
{
    return fake_int8((int64_t) fake_id(number, key));
}

static void set_cell(fake_datum *datum, fake_cell cell)
{
    const void *data = cell.data ? cell.data : cell.bytes;

    fake_datum_set(datum, cell.null ? NULL : data, cell.size);
    fake_cell_free(cell);
}

void fake_object_cells(unsigned number, const fake_cell *cells)
{
    const fake_relation *relation = fake_relation_of(number);
    fake_tuple *tuple = fake_rows_add(&fake_committed[number - 1]);
    size_t i;

    tuple->xmin = ++last_xid;
    for (i = 0; i < relation->width; i++)
        set_cell(&tuple->values[i], cells[i]);
}

static fake_tuple *committed(unsigned number, int64_t key)
{
    fake_tuple *tuple;

    settle();
    tuple = fake_rows_find(&fake_committed[number - 1], key);
    if (!tuple)
        fail_msg("no object %u:%lld is stored", number, (long long) key);
    return tuple;
}

void fake_write(unsigned number, int64_t key, const char *column, fake_cell cell)
{
    fake_tuple *tuple = committed(number, key);

    tuple->xmin = ++last_xid;
    set_cell(&tuple->values[fake_place(fake_relation_of(number), column)], cell);
}

void fake_remove(unsigned number, int64_t key)
{
    const fake_tuple *tuple = committed(number, key);

    fake_rows_drop(&fake_committed[number - 1],
                   (size_t) (tuple - fake_committed[number - 1].tuples));
}

bool fake_exists(unsigned number, int64_t key)
{
    settle();
    return fake_rows_find(&fake_committed[number - 1], key) != NULL;
}

static const fake_datum *stored(unsigned number, int64_t key, const char *column)
{
    return &committed(number, key)->values[fake_place(fake_relation_of(number), column)];
}

const char *fake_stored_text(unsigned number, int64_t key, const char *column)
{
    return (const char *) stored(number, key, column)->data;
}

int64_t fake_stored_int(unsigned number, int64_t key, const char *column)
{
    return fake_datum_int(stored(number, key, column));
}

size_t fake_stored_rows(unsigned number)
{
    settle();
    return fake_committed[number - 1].size;
}

/* ---- the standard world ---- */

void fake_world_begin(void)
{
    /* A test that failed did not come to its end. */
    fake_world_end();
    last_xid = 700;
    last_key = 1000;
    last_request = 100;
    query_most = INT64_MAX;
    add_rules();
    fake_class(PERSON, 0, "person",
               "id int8 !, name text, age int4, loves ref, boss int8 >1, home int4 >2, "
               "friends ref[]");
    fake_class(PLACE, 0, "place", "id int4 !, name text, mood text !");
    fake_class(CHILD, PERSON, "child", "toy text");
}

void fake_world_people(void)
{
    fake_object(PLACE, fake_int4(1), fake_text("Inn"), fake_text("merry"));
    fake_object(PERSON, fake_int8(1), fake_text("John"), fake_int4(30), fake_ref(PERSON, 2),
                fake_int8(2), fake_int4(1), fake_null());
    fake_object(PERSON, fake_int8(2), fake_text("Sue"), fake_int4(41), fake_ref(PERSON, 3),
                fake_null(), fake_int4(1),
                fake_array(FAKE_REF, fake_ref(PERSON, 1), fake_null(), fake_ref(PLACE, 1),
                           fake_ref(PERSON, 99)));
    fake_object(PERSON, fake_int8(3), fake_text("Bill"), fake_null(), fake_ref(PERSON, 2),
                fake_int8(2), fake_null(), fake_null());
    fake_object(CHILD, fake_int8(4), fake_text("Tim"), fake_int4(7), fake_null(), fake_int8(1),
                fake_int4(1), fake_null(), fake_text("train"));
}

paos_conn *fake_world_open(void)
{
    paos_conn *conn = NULL;

    assert_int_equal(paos_conn_open("", "test", &conn), PAOS_OK);
    assert_non_null(conn);
    fake_log_clear();
    return conn;
}

void fake_world_end(void)
{
    size_t i;

    for (i = 0; i < FAKE_CLASSES; i++)
    {
        fake_rows_clear(&fake_committed[i]);
        fake_rows_clear(&working[i]);
    }
    memset(fake_relations, 0, sizeof fake_relations);
    in_transaction = false;
    fake_reset();
}

int fake_world_setup(void **state)
{
    fake_world_begin();
    fake_world_people();
    *state = fake_world_open();
    return 0;
}

int fake_world_teardown(void **state)
{
    bool open = fake_in_transaction();

    paos_conn_close(*state);
    fake_world_end();
    return open ? -1 : 0;
}
