// The tables agree with themselves, and parameters are checked by them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

#include "ipc/contacts.h"
#include "ipc/errors.h"
#include "ipc/events.h"
#include "ipc/methods.h"

// Words of the command line with dots between them; those may have dashes.
static bool is_dotted(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if (!isalpha((unsigned char)*c) && strchr(".-", *c) == NULL)
            return false;
    return true;
}

static void codes_are_unique_and_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < IPC_CODE_COUNT; i++) {
        const struct ipc_code *a = &IPC_CODES[i];
        assert_true(strlen(a->code) < sizeof((struct error *)0)->code);
        assert_true(strlen(a->hint) > 10 && a->hint[strlen(a->hint) - 1] == '.');
        if (a->number > 0)
            assert_int_equal(a->number / 100, a->exit);
        for (size_t j = i + 1; j < IPC_CODE_COUNT; j++) {
            assert_string_not_equal(a->code, IPC_CODES[j].code);
            assert_int_not_equal(a->number, IPC_CODES[j].number);
        }
    }
}

static void unknown_codes_fall_back_by_status(void **state)
{
    (void)state;
    assert_int_equal(ipc_code_find("BAD-SECRET", STATUS_REFUSED)->exit, IPC_EXIT_REFUSED);
    assert_int_equal(ipc_code_find("M2O-PV1", STATUS_INVALID)->exit, IPC_EXIT_REFUSED);
    assert_int_equal(ipc_code_find("X", STATUS_TIMEOUT)->exit, IPC_EXIT_TIMEOUT);
    assert_string_equal(ipc_code_find("X", STATUS_INTERNAL)->code, "INTERNAL");
}

static void errors_survive_json(void **state)
{
    (void)state;
    struct error in = {0};
    struct error out = {0};
    error_set(&in, STATUS_REFUSED, "BAD-SECRET", "wrong");
    json_t *object = ipc_error_to_json(&in);
    assert_int_equal(json_integer_value(json_object_get(object, "code")), 401);
    assert_int_equal(ipc_error_from_json(object, &out), STATUS_REFUSED);
    assert_string_equal(out.code, "BAD-SECRET");
    assert_string_equal(out.message, "wrong");
    json_decref(object);
    error_set(&in, STATUS_INVALID, "M2O-PV1", "no recipe");
    object = ipc_error_to_json(&in);
    assert_int_equal(ipc_error_from_json(object, &out), STATUS_INVALID);
    assert_string_equal(out.code, "M2O-PV1");
    json_decref(object);
    error_set(&in, STATUS_INVALID, "BAD-INPUT", "no '%s'", "caf\xc3\xa9\xff");
    object = ipc_error_to_json(&in);
    assert_int_equal(ipc_error_from_json(object, &out), STATUS_INVALID);
    assert_string_equal(out.message, "no 'caf\xc3\xa9\xef\xbf\xbd'");
    json_decref(object);
    object = json_pack("{s:i}", "code", 3);
    assert_int_equal(ipc_error_from_json(object, &out), STATUS_INTERNAL);
    json_decref(object);
}

static size_t number_of(const char *name)
{
    size_t i = 0;
    while (strcmp(IPC_NAME_TEXTS[i], name) != 0)
        i++;
    return i;
}

static void methods_are_well_formed(void **state)
{
    (void)state;
    bool used[IPC_NAMES] = {[P_opId] = true, [P_node] = true, [P_face] = true, [P_alone] = true}; // not in the table
    for (size_t i = 0; i < ipc_method_count(); i++) {
        const struct ipc_method *m = ipc_method_at(i);
        assert_true(is_dotted(m->name));
        assert_ptr_equal(ipc_method_find(m->name), m);
        assert_true(m->about[strlen(m->about) - 1] == '.');
        assert_non_null(m->result);
        if (m->site == IPC_NODE)
            assert_true(m->timeout_ms > 0);
        assert_null(m->params[IPC_PARAMS_MAX - 1].name);
        for (const struct ipc_param *p = m->params; p->name != NULL; p++) {
            assert_non_null(p->about);
            assert_ptr_equal(IPC_NAME_TEXTS[p->number], IPC_NAME_TEXTS[number_of(p->name)]);
            used[p->number] = true;
            assert_int_equal(p->choices != NULL, p->kind == IPC_CHOICE);
            if (p->kind == IPC_TEXT || p->kind == IPC_INT)
                assert_true(p->max > p->min || (p->max == p->min && p->max > 0));
        }
    }
    for (size_t i = 0; i < IPC_NAMES; i++)
        assert_true(used[i]);
}

static void what_was_given_lies_at_its_name(void **state)
{
    (void)state;
    struct error e;
    json_t *given[IPC_NAMES] = {NULL};
    json_t *params = json_pack("{s:s, s:s, s:s}", "to", "ann", "text", "hello", "node", "sparse");
    assert_int_equal(ipc_method_check(ipc_method_find("chat.send"), params, given, &e), STATUS_OK);
    assert_ptr_equal(given[P_to], json_object_get(params, "to"));
    assert_ptr_equal(given[P_node], json_object_get(params, "node"));
    assert_null(given[P_as]);
    json_decref(params);
}

static void events_are_well_formed(void **state)
{
    (void)state;
    for (size_t i = 0; i < IPC_EVENT_COUNT; i++) {
        assert_true(is_dotted(IPC_EVENTS[i].name));
        assert_non_null(strchr(IPC_EVENTS[i].name, '.'));
        for (size_t j = i + 1; j < IPC_EVENT_COUNT; j++)
            assert_string_not_equal(IPC_EVENTS[i].name, IPC_EVENTS[j].name);
    }
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    const char *method;
    const char *params;
    const char *named; // what the message must name; NULL: accepted
    const char *code;  // NULL: BAD-PARAMS
} cases[] = {
    {"status", "{}", NULL, NULL},
    {"status", "{\"x\":1}", "'x'", NULL},
    {"status", "{\"opId\":\"a\"}", "'opId'", NULL},
    {"chat.send", "{\"to\":\"01234567\",\"text\":\"hi\",\"opId\":\"a\",\"node\":\"archive\"}", NULL, NULL},
    {"chat.send", "{\"to\":\"01234567\",\"text\":\"\"}", NULL, NULL},
    {"chat.send", "{\"to\":\"01234567\",\"text\":\"a\\u0000b\"}", "'text'", "BAD-TEXT"},
    {"chat.send", "{\"to\":\"01234567\\u0000\",\"text\":\"hi\"}", "'to'", "BAD-TEXT"},
    {"chat.send", "{\"to\":\"01234567\",\"text\":\"hi\",\"attachments\":[{\"name\":\"a\\u0000b\"}]}", "'attachments'",
     "BAD-TEXT"},
    {"restart", "{\"node\":\"sparse\\u0000x\"}", "'node'", "BAD-TEXT"},
    {"chat.send", "{\"to\":\"\",\"text\":\"hi\"}", "'to' must be a person", "BAD-ID"},
    {"chat.send", "{\"to\":\"Anna M\u00fcller\",\"text\":\"hi\"}", NULL, NULL},
    {"object.get", "{\"hash\":\" 0123 ABCD\\n\"}", NULL, NULL},
    {"object.get", "{\"hash\":\"0123456\"}", "'hash' must be an id", "BAD-ID"},
    {"object.get", "{\"hash\":\"0123456X\"}", "'hash'", "BAD-ID"},
    {"object.get", "{\"hash\":\"" ID "0\"}", "'hash'", "BAD-ID"},
    {"chat.send", "{\"to\":\"01234567\"}", "'text'", NULL},
    {"chat.send", "{\"to\":\"01234567\",\"text\":5}", "'text'", NULL},
    {"chat.send", "{\"to\":\"01234567\",\"text\":\"hi\",\"node\":\"other\"}", "archive|sparse", NULL},
    {"chat.send", "{\"to\":\"01234567\",\"text\":\"hi\",\"opId\":\"\"}", "'opId'", NULL},
    {"chat.list", "{\"with\":\"01234567\",\"limit\":0}", "1 to 1000", NULL},
    {"chat.list", "{\"with\":\"01234567\",\"limit\":1.5}", "'limit'", NULL},
    {"contact.forget", "{\"person\":\"" ID "\"}", NULL, NULL},
    {"contact.forget", "{\"person\":\"01234567\"}", NULL, NULL},
    {"restart", "{\"node\":\"sparse\"}", NULL, NULL},
    {"restart", "{\"node\":\"spars\"}", "'node'", NULL},
    {"restart", "{}", "'node'", NULL},
    {"object.put", "{\"object\":{}}", NULL, NULL},
    {"object.put", "{\"object\":{\"text\":\"a\\u0000b\"}}", NULL, NULL},
    {"object.put", "{\"object\":[]}", "'object'", NULL},
    {"topic.create", "{\"persons\":[]}", NULL, NULL},
    {"topic.create", "{\"persons\":[\"ann\",\"01234567\"]}", NULL, NULL},
    {"topic.create", "{\"persons\":{}}", "'persons'", NULL},
    {"topic.create", "{\"persons\":[\"\"]}", "'persons'", "BAD-ID"},
    {"topic.create", "{\"persons\":[5]}", "'persons'", "BAD-ID"},
    {"deprovision", "{\"wipe\":1}", "'wipe'", NULL},
};

static void parameters_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error e = {0};
        json_t *params = json_loads(cases[i].params, JSON_ALLOW_NUL, NULL);
        enum status s = ipc_method_check(ipc_method_find(cases[i].method), params, NULL, &e);
        json_decref(params);
        if (cases[i].named == NULL) {
            assert_int_equal(s, STATUS_OK);
            continue;
        }
        assert_int_equal(s, STATUS_INVALID);
        assert_string_equal(e.code, cases[i].code != NULL ? cases[i].code : "BAD-PARAMS");
        assert_non_null(strstr(e.message, cases[i].named));
    }
}

// ---- Contacts ------------------------------------------------------------------------------------------------------

static json_t *contact(const char *text)
{
    json_t *c = json_loads(text, 0, NULL);
    assert_non_null(c);
    return c;
}

static void levels_follow_from_what_is_known(void **state)
{
    static const char *const known[][2] = {
        {"{\"connected\":true,\"lastSeenAt\":5,\"pairedWith\":[\"archive\"]}", "connected"},
        {"{\"connected\":false,\"lastSeenAt\":5,\"pairedWith\":[]}", "seen"},
        {"{\"connected\":false,\"lastSeenAt\":null,\"pairedWith\":[\"sparse\"]}", "paired"},
        {"{\"connected\":false,\"lastSeenAt\":null,\"pairedWith\":[]}", "unknown"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        json_t *c = contact(known[i][0]);
        assert_string_equal(ipc_contact_level(c), known[i][1]);
        json_decref(c);
    }
}

static void what_both_nodes_say_of_a_contact_is_joined(void **state)
{
    (void)state;
    json_t *c = contact(
        "{\"connected\":false,\"lastSeenAt\":null,\"pairedWith\":[\"archive\"],\"safety\":null,\"level\":\"paired\"}");
    json_t *same = json_deep_copy(c);
    json_t *archive = contact("{\"connected\":true,\"lastSeenAt\":7,\"pairedWith\":[\"archive\"],\"safety\":\"123\"}");
    json_t *joined = contact("{\"connected\":true,\"lastSeenAt\":7,\"pairedWith\":[\"archive\"],\"safety\":\"123\","
                             "\"level\":\"connected\"}");
    json_t *later = contact("{\"connected\":false,\"lastSeenAt\":3,\"pairedWith\":[\"sparse\"],\"safety\":\"9\"}");
    ipc_contact_join(c, NULL);
    assert_true(json_equal(c, same));
    ipc_contact_join(c, archive);
    assert_true(json_equal(c, joined));
    ipc_contact_join(c, later); // nothing of it is news but who is paired
    assert_int_equal(json_integer_value(json_object_get(c, "lastSeenAt")), 7);
    assert_string_equal(json_string_value(json_object_get(c, "safety")), "123");
    assert_int_equal(json_array_size(json_object_get(c, "pairedWith")), 2);
    json_decref(c);
    json_decref(same);
    json_decref(archive);
    json_decref(joined);
    json_decref(later);
}

// What the archive says now is newer than what the sparse node kept of it, for each instance, too.
static void the_archives_safety_text_is_that_of_its_pairing(void **state)
{
    (void)state;
    json_t *archive =
        contact("{\"pairedWith\":[\"archive\"],\"safety\":\"new\",\"instances\":["
                "{\"instanceId\":\"b\",\"safety\":\"new b\"},{\"instanceId\":\"a\",\"safety\":\"new\"}]}");
    json_t *kept = contact("{\"pairedWith\":[\"archive\"],\"safety\":\"old\",\"instances\":["
                           "{\"instanceId\":\"a\",\"safety\":null},{\"instanceId\":\"c\",\"safety\":null}]}");
    json_t *ours = contact("{\"pairedWith\":[\"sparse\"],\"safety\":\"ours\",\"instances\":["
                           "{\"instanceId\":\"a\",\"safety\":\"ours\"}]}");
    json_t *instances = contact("[{\"instanceId\":\"a\",\"safety\":\"new\"},{\"instanceId\":\"c\",\"safety\":null}]");
    ipc_contact_join(kept, archive);
    assert_string_equal(json_string_value(json_object_get(kept, "safety")), "new");
    assert_true(json_equal(json_object_get(kept, "instances"), instances));
    json_t *before = json_deep_copy(json_object_get(ours, "instances"));
    ipc_contact_join(ours, archive);
    assert_string_equal(json_string_value(json_object_get(ours, "safety")), "ours");
    assert_true(json_equal(json_object_get(ours, "instances"), before));
    json_decref(archive);
    json_decref(kept);
    json_decref(ours);
    json_decref(instances);
    json_decref(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_unique_and_complete),
        cmocka_unit_test(unknown_codes_fall_back_by_status),
        cmocka_unit_test(errors_survive_json),
        cmocka_unit_test(methods_are_well_formed),
        cmocka_unit_test(what_was_given_lies_at_its_name),
        cmocka_unit_test(events_are_well_formed),
        cmocka_unit_test(parameters_are_checked),
        cmocka_unit_test(levels_follow_from_what_is_known),
        cmocka_unit_test(what_both_nodes_say_of_a_contact_is_joined),
        cmocka_unit_test(the_archives_safety_text_is_that_of_its_pairing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
