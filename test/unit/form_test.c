/*
 * form_test.c - a notification means the same, read straight or as any JSON.
 *
 * A blank in front of it makes it JSON of another form, so each text is read both ways.
 */
#include "unit.h"

static const char *const texts[] = {
    "{\"request\":7,\"enter\":[\"12:42\"],\"change\":[],\"leave\":[],\"author\":{\"host\":"
    "\"h\xC3\xA9\","
    "\"pid\":1,\"uid\":null,\"app\":\"ed\"},\"xid\":\"771\",\"part\":[1,1]}",
    "{\"request\":10,\"enter\":[],\"change\":[\"1:1\",\"1:2\"],\"leave\":[\"32767:"
    "281474976710655\"],"
    "\"author\":{\"host\":\"\",\"pid\":0,\"uid\":90,\"app\":\"\"},"
    "\"xid\":\"1\",\"part\":[2,3]}",
};

static void must_be_equal(const char *a, const char *b, const char *text)
{
    if ((a == NULL) != (b == NULL) || (a && strcmp(a, b) != 0))
        fail_msg("%s", text);
}

static void compare(const char *text, const paosi_payload *a, const paosi_payload *b)
{
    size_t i;

    if (a->request != b->request || a->xid != b->xid || a->part != b->part ||
        a->parts != b->parts || a->pid != b->pid || a->uid != b->uid || a->resync || b->resync)
        fail_msg("%s", text);
    must_be_equal(a->host, b->host, text);
    must_be_equal(a->application, b->application, text);
    for (i = 0; i < PAOSI_EFFECTS; i++)
        if (a->refs[i].size != b->refs[i].size ||
            (a->refs[i].size > 0 && memcmp(a->refs[i].items, b->refs[i].items,
                                           a->refs[i].size * sizeof *a->refs[i].items) != 0))
            fail_msg("%s", text);
}

/* Reads it both ways; was it right? */
static bool means_the_same(const char *text)
{
    paosi_payload straight = {0}, json = {0};
    char other[512];
    paos_status status = paosi_payload_parse(text, &straight);

    snprintf(other, sizeof other, " %s", text);
    if (paosi_payload_parse(other, &json) != status)
        fail_msg("%s", text);
    if (status == PAOS_OK)
        compare(text, &straight, &json);
    paosi_payload_free(&straight);
    paosi_payload_free(&json);
    return status == PAOS_OK;
}

static void the_servers_form_is_read_straight(void **state)
{
    size_t i;

    (void) state;
    for (i = 0; i < COUNT(texts); i++)
    {
        paosi_payload told = {0};

        assert_status(paosi_form_read(texts[i], &told), PAOS_OK);
        paosi_payload_free(&told);
        assert_true(means_the_same(texts[i]));
    }
}

static void other_forms_are_left_to_json(void **state)
{
    static const char *const others[] = {
        "{\"request\":1,\"resync\":true,\"author\":null,\"xid\":null,\"part\":[1,1]}",
        "{\"request\":1,\"pending\":true}",
        "{\"request\": 1}",
        "",
    };
    size_t i;

    (void) state;
    for (i = 0; i < COUNT(others); i++)
    {
        paosi_payload told = {0};

        assert_status(paosi_form_read(others[i], &told), PAOS_INVALID);
        paosi_payload_free(&told);
    }
}

/* Each byte another one, one more, and one less. */
static void what_is_nearly_of_that_form_means_the_same(void **state)
{
    static const char bytes[] = "09-.\"\\ ,:]}[{x\n\x01\x80\xC3\xFF";
    size_t i, at, with, right = 0, wrong = 0;
    char text[512];

    (void) state;
    for (i = 0; i < COUNT(texts); i++)
        for (at = 0; at <= strlen(texts[i]); at++)
            for (with = 0; with < 2 * sizeof bytes; with++)
            {
                int head = (int) at;
                const char *rest = texts[i] + at + (with % 2 && texts[i][at] ? 1 : 0);
                char byte[2] = {bytes[with / 2], 0};

                snprintf(text, sizeof text, "%.*s%s%s", head, texts[i], byte, rest);
                if (means_the_same(text))
                    right++;
                else
                    wrong++;
            }
    assert_true(right > 100 && wrong > 1000);
}

static void compare_with(const char *request, const char *ref, const char *pid, const char *xid)
{
    char text[512];

    snprintf(text, sizeof text,
             "{\"request\":%s,\"enter\":[\"%s\"],\"change\":[],\"leave\":[],\"author\":"
             "{\"host\":\"h\",\"pid\":%s,\"uid\":1,\"app\":\"a\"},\"xid\":\"%s\","
             "\"part\":[1,1]}",
             request, ref, pid, xid);
    means_the_same(text);
}

static void numbers_have_their_limits(void **state)
{
    static const char *const refs[] = {
        "0:1",         "1:0",
        "32768:1",     "1:281474976710656",
        "01:1",        "1:18446744073709551617",
        "1:1\",\"1:2", "1:1\",",
        "1:1,1:2",     "1:-1",
        ":1",          "1:",
    };
    static const char *const numbers[] = {"0",
                                          "01",
                                          "999999999999999999",
                                          "9223372036854775807",
                                          "18446744073709551615",
                                          "18446744073709551616",
                                          "-1",
                                          "1.0"};
    size_t i;

    (void) state;
    for (i = 0; i < COUNT(refs); i++)
        compare_with("1", refs[i], "1", "1");
    for (i = 0; i < COUNT(numbers); i++)
    {
        compare_with(numbers[i], "1:1", "1", "1");
        compare_with("1", "1:1", numbers[i], "1");
        compare_with("1", "1:1", "1", numbers[i]);
    }
}

/* Whichever allocation fails, that is what is said. */
static void no_memory_is_no_other_form(void **state)
{
    size_t n;

    (void) state;
    for (n = 0;; n++)
    {
        paosi_payload told = {0};
        paos_status status;

        fake_alloc_fail(n);
        status = paosi_payload_parse(texts[0], &told);
        if (!fake_alloc_end())
        {
            assert_status(status, PAOS_OK);
            paosi_payload_free(&told);
            break;
        }
        assert_status(status, PAOS_NO_MEMORY);
    }
    assert_int_equal(n, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_servers_form_is_read_straight),
        cmocka_unit_test(other_forms_are_left_to_json),
        cmocka_unit_test(what_is_nearly_of_that_form_means_the_same),
        cmocka_unit_test(numbers_have_their_limits),
        cmocka_unit_test(no_memory_is_no_other_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
