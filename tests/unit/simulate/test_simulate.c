// What 'tandem simulate' reads: scenarios, of which every member is checked, their plans, and whose key a WebSocket
// says is speaking.
#include "tests/unit/cmocka_all.h"

#include <jansson.h>

#include "supervisor/simulate/peek.h"
#include "supervisor/simulate/place.h"
#include "supervisor/simulate/plan.h"
#include "supervisor/simulate/ready.h"
#include "supervisor/simulate/report.h"

static struct scenario *parsed(const char *text)
{
    struct scenario *s = NULL;
    struct error e = {0};
    if (scenario_parse("f", span_of(text), &s, &e) != STATUS_OK)
        fail_msg("%s", e.message);
    return s;
}

static void refuses(const char *text, const char *message)
{
    struct scenario *s = NULL;
    struct error e = {0};
    assert_int_equal(scenario_parse("f", span_of(text), &s, &e), STATUS_INVALID);
    assert_null(s);
    assert_string_equal(e.code, "BAD-INPUT");
    if (strncmp(e.message, message, strlen(message)) != 0)
        assert_string_equal(e.message, message);
}

static void members_are_checked_and_named_with_their_line(void **state)
{
    (void)state;
    refuses("[]", "f: a scenario is a JSON object");
    refuses("{\"users\": 1,\n \"users\": 2}", "f:2: no JSON: duplicate object key");
    refuses("{}", "f: users: wants");
    refuses("{\n\"users\": 251}", "f:2: users: wants");
    refuses("{\"users\": [\"anna\",\n \"anna\"]}", "f:2: users[1]: 'anna' is there already");
    refuses("{\"users\": [\"relay1\"]}", "f:1: users[0]: a name");
    refuses("{\"users\": [\"An na\"]}", "f:1: users[0]: a name");
    refuses("{\"users\": 2,\n\n\"x\\u0022\\\"}\": 1}", "f:3: x\"\"}: there is no such key here");
    refuses("{\"users\": 2, \"seed\": 1.5}", "f:1: seed: wants a whole number");
    refuses("{\"users\": 2, \"limit\": 3}", "f:1: limit: wants a time");
    refuses("{\"users\": 2, \"limit\": \"3 weeks\"}", "f:1: limit: wants a time");
    refuses("{\"users\": 2, \"limit\": \"nan\"}", "f:1: limit: wants a time");
    refuses("{\"users\": 2, \"pairs\": {}}", "f:1: pairs: wants a list");
    refuses("{\"users\": 2, \"pairs\": [\n1]}", "f:2: pairs[0]: wants an object");
    refuses("{\"users\": 2, \"pairs\": [{}]}", "f: who: is wanted");
    refuses("{\"users\": 2, \"pairs\": [{\"who\": [\"user1\",\n\"user3\"]}]}", "f:2: pairs[0].who[1]: 'user3'");
    refuses("{\"users\": 2, \"pairs\": [{\"who\": \"everyone\", \"via\": \"relay\"}]}",
            "f:1: pairs[0].via: there is no relay");
    refuses("{\"users\": 2, \"pairs\": [{\"who\": \"everyone\"},\n {\"who\": \"everyone\"}]}",
            "f:2: pairs[1]: user1 and user2 are paired already");
    refuses("{\"users\": 2, \"expect\": {\"nothingLost\": 1}}", "f:1: expect.nothingLost: wants true or false");
}

#define TWO "{\"users\": 2, \"pairs\": [{\"who\": \"everyone\"}],\n"

static void groups_talk_and_trouble_are_checked(void **state)
{
    (void)state;
    refuses("{\"users\": 2,\n \"groups\": [{\"name\": \"g\",\n \"members\": \"everyone\"}]}",
            "f:3: groups[0].members: user1 makes the group and is not paired with user2");
    refuses(TWO "\"groups\": [{\"name\": \"user1\", \"members\": \"everyone\"}]}", "f:2: groups[0].name: wants a name");
    refuses(TWO "\"talk\": [{\"from\": \"everyone\", \"to\": \"team\"}]}", "f:2: talk[0].to: 'team' is neither");
    refuses(TWO "\"talk\": [{\"from\": \"everyone\", \"to\": \"user1\"}]}",
            "f:2: talk[0].to: user1 is not paired with user1");
    refuses(TWO "\"talk\": [{\"from\": \"everyone\", \"bytes\": 39}]}", "f:2: talk[0].bytes: wants a whole number");
    refuses(TWO "\"trouble\": [{\"what\": \"user1.archive\"}]}", "f: do: is wanted");
    refuses(TWO "\"trouble\": [{\"do\": \"explode\", \"what\": \"user1.archive\"}]}",
            "f:2: trouble[0].do: 'explode' is none of");
    refuses(TWO "\"trouble\": [{\"do\": \"kill\", \"what\": \"user1.node1\"}]}",
            "f:2: trouble[0].what: 'user1.node1' is no process");
    refuses(TWO "\"trouble\": [{\"do\": \"kill\", \"what\": \"user1-user2\"}]}", "f:2: trouble[0].what");
    refuses(TWO "\"trouble\": [{\"do\": \"cut\", \"what\": \"user1-relay1\", \"for\": \"1s\"}]}",
            "f:2: trouble[0].what");
    refuses(TWO "\"trouble\": [{\"do\": \"cut\", \"what\": \"user1-user2\"}]}", "f: for: is wanted");
    refuses(TWO "\"trouble\": [{\"do\": \"slow\", \"what\": \"user1-user2\", \"for\": \"1s\"}]}",
            "f: by: is what slow and shift want, and nothing else");
    refuses(TWO "\"trouble\": [{\"do\": \"kill\", \"what\": \"any.node\", \"times\": 2}]}", "f: every: is wanted");
}

static void shapes_make_the_pairs_they_say(void **state)
{
    static const struct {
        const char *shape;
        size_t pairs;
    } rows[] = {{"all", 10}, {"chain", 4}, {"ring", 5}, {"star", 4}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"users\": 5, \"pairs\": [{\"who\": \"everyone\", \"as\": \"%s\"}]}",
                 rows[i].shape);
        struct scenario *s = parsed(text);
        assert_int_equal(s->pair_count, rows[i].pairs);
        assert_true(scenario_paired(s, 1, 0));
        assert_int_equal(scenario_paired(s, 0, 4), strcmp(rows[i].shape, "chain") != 0);
        scenario_destroy(s);
    }
}

static char *plan_text(const struct scenario *s, uint64_t seed)
{
    struct plan *p = plan_make(s, seed);
    json_t *shown = plan_show(p, s);
    char *text = json_dumps(shown, 0);
    json_decref(shown);
    plan_destroy(p);
    return text;
}

static void a_seed_makes_one_plan(void **state)
{
    (void)state;
    struct scenario *s =
        parsed("{\"users\": 6, \"pairs\": [{\"who\": \"everyone\"}], \"talk\": [{\"from\": \"everyone\", "
               "\"messages\": 20, \"every\": \"1s\"}], \"trouble\": [{\"do\": \"cut\", \"what\": \"any-link\", "
               "\"for\": \"1s\", \"times\": 9, \"every\": \"1s\"}]}");
    char *one = plan_text(s, 1);
    char *again = plan_text(s, 1);
    char *other = plan_text(s, 2);
    assert_string_equal(one, again);
    assert_string_not_equal(one, other);
    free(one);
    free(again);
    free(other);
    scenario_destroy(s);
}

static void what_comes_along_is_in_order(void **state)
{
    (void)state;
    assert_true(READY_COUNT >= 5);
    for (size_t i = 0; i < READY_COUNT; i++) {
        struct scenario *s = NULL;
        struct error e = {0};
        assert_int_equal(scenario_parse(READY[i].name, READY[i].text, &s, &e), STATUS_OK);
        assert_string_equal(s->name, READY[i].name);
        scenario_destroy(s);
    }
}

// --- whose key it is -------------------------------------------------------------------------------------------------

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct buf first_bytes(const char *message)
{
    static const unsigned char mask[] = {0x12, 0x34, 0x56, 0x78};
    struct buf b = {0};
    size_t len = strlen(message);
    buf_add_text(&b, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    buf_add_char(&b, (char)0x81);
    if (len > 125) {
        buf_add_char(&b, (char)(0x80 | 126));
        buf_add_char(&b, (char)(len >> 8));
        buf_add_char(&b, (char)len);
    } else {
        buf_add_char(&b, (char)(0x80 | len));
    }
    buf_add(&b, mask, sizeof mask);
    for (size_t i = 0; i < len; i++)
        buf_add_char(&b, (char)(message[i] ^ mask[i % 4]));
    return b;
}

static void sees(const char *message, enum peek wanted)
{
    struct buf b = first_bytes(message);
    char key[65] = "";
    assert_int_equal(peek_key(buf_span(&b), key), wanted);
    assert_string_equal(key, wanted == PEEK_FOUND ? KEY : "");
    for (size_t len = 0; len < b.len; len++)
        assert_int_equal(peek_key((struct span){b.data, len}, key), PEEK_MORE);
    buf_free(&b);
}

static void the_first_message_says_whose_key_it_is(void **state)
{
    (void)state;
    sees("{\"command\":\"communication_request\",\"sourcePublicKey\":\"" KEY "\",\"targetPublicKey\":\"ff\"}",
         PEEK_FOUND);
    sees("{\"command\":\"register\",\"publicKey\":\"" KEY "\"}", PEEK_FOUND);
    sees("{\"command\":\"register\",\"publicKey\":\"0123\"}", PEEK_NOTHING);
    sees("no JSON", PEEK_NOTHING);
    char key[65];
    assert_int_equal(peek_key(SPAN("\r\n\r\n\x81\x05hello"), key), PEEK_NOTHING); // not masked
    assert_int_equal(peek_key(SPAN("\r\n\r\n\x82\x85hello"), key), PEEK_NOTHING); // not text
}

static void reports_escape_what_has_a_meaning_there(void **state)
{
    (void)state;
    json_t *result = json_pack("{s:s, s:b, s:i, s:[{s:s, s:b, s:s}], s:[{s:i, s:s}]}", "name", "a<b", "passed", 0,
                               "milliseconds", 1500, "checks", "name", "allEqual", "passed", 0, "why", "\"x\" & y\x01",
                               "timeline", "atMs", 12, "text", "kill <anna>");
    struct buf out = {0};
    report_junit(result, &out);
    assert_string_equal(buf_cstr(&out), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                        "<testsuite name=\"a&lt;b\" tests=\"1\" failures=\"1\" time=\"1.500\">\n"
                                        "  <testcase classname=\"a&lt;b\" name=\"allEqual\">\n"
                                        "    <failure message=\"&quot;x&quot; &amp; y \"/>\n  </testcase>\n"
                                        "  <system-out>   0.012 s  kill &lt;anna&gt;\n</system-out>\n</testsuite>\n");
    buf_free(&out);
    json_decref(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_checked_and_named_with_their_line),
        cmocka_unit_test(groups_talk_and_trouble_are_checked),
        cmocka_unit_test(shapes_make_the_pairs_they_say),
        cmocka_unit_test(a_seed_makes_one_plan),
        cmocka_unit_test(what_comes_along_is_in_order),
        cmocka_unit_test(the_first_message_says_whose_key_it_is),
        cmocka_unit_test(reports_escape_what_has_a_meaning_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
