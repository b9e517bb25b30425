// What the reference did with malformed, forbidden or unusual input (tests/vectors/wire/errors.json), tried on us.
// Where we do otherwise on purpose, DEVIATIONS says what and why; docs/conformance.md repeats that table for people.
#include <ctype.h>
#include <stdio.h>

#include "by_hand.h"
#include "capture.h"
#include "tests/unit/cmocka_all.h"

static const char OPEN[] = "open";

static const struct deviation {
    const char *name;
    const char *ours; // the close reason, or OPEN
    const char *why;
} DEVIATIONS[] = {
    {"phase1: not JSON",
     "Close called: Error: Received message that does not conform to JSON: SyntaxError: invalid token near 'hello'",
     "the words of our JSON parser"},
    {"phase1: nothing sent (10 s)", "Close called: Error: The awaited message did not come in time",
     "the phase in clear text has 10 s"},
    {"queue: 12 messages sent without waiting",
     "Close called: Error: Received unexpected type 'connection_group'. Expected type 'person_id_object'.",
     "messages are checked when they arrive, before a queue can fill"},
    {"known person, different person key, via pairing",
     "Close called: Error: EP-KEYMISSMATCH: Key does not match your previous visit", "failed checks close"},
    {"known person, different person key, via chum with new instance key",
     "Close called: Error: EP-KEYMISSMATCH: Key does not match your previous visit", "failed checks close"},
    {"known instance key, other person",
     "Close called: Error: EP-PERSONIDMISMATCH: The person id does not match the one on record for this instance key",
     "failed checks close"},
    {"known instance key, other instance name",
     "Close called: Error: EP-INSTANCEIDMISMATCH: The instance id we have on record for this instance key is another "
     "one",
     "failed checks close"},
    {"same person as the acceptor, own new keys", "Close called: Error: The person you name is our own",
     "failed checks close"},
    {"identity: keys owner mismatch", "Close called: Error: EP-KEYS-OWNER-MISMATCH: The keys belong to another person",
     "failed checks close"},
    {"identity: person_id_object not a Person",
     "Close called: Error: Received data does not match the data expected for command 'person_id_object'",
     "failed checks close"},
    {"identity: person without email",
     "Close called: Error: Received data does not match the data expected for command 'person_id_object'",
     "failed checks close"},
    {"identity: keys not Keys",
     "Close called: Error: Received data does not match the data expected for command 'keys_object'",
     "failed checks close"},
    {"identity: keys with short publicKey",
     "Close called: Error: Received data does not match the data expected for command 'keys_object'",
     "failed checks close"},
    {"identity: instance owned by someone else", "Close called: Error: The instance belongs to another person",
     "an instance has to belong to the authenticated person"},
    {"identity: instance with unknown owner hash", "Close called: Error: The instance belongs to another person",
     "an instance has to belong to the authenticated person"},
    {"identity: instance without owner",
     "Close called: Error: Received data does not match the data expected for command 'instance_id_object'",
     "an instance has to belong to the authenticated person"},
    {"identity: wrong message order (keys first)",
     "Close called: Error: Received unexpected type 'keys_object'. Expected type 'person_id_object'.",
     "failed checks close"},
    {"pairing: identity message naming another person (victim) than the one authenticated",
     "Close called: Error: The identity is not the one that was authenticated",
     "the identity is compared with what was proved"},
    {"pairing: instance key as source key also accepted", "Close called.",
     "the inviting side closes too, once it has stored the other one"},
    {"initiator: other person id", "Close called: Error: EP-KEYS-OWNER-MISMATCH: The keys belong to another person",
     "failed checks close"},
};

// Cases whose subject lies in another module, and the test that covers it; by the beginning of their names.
static const struct {
    const char *prefix;
    const char *where;
} ELSEWHERE[] = {
    {"rpc: ", "tests/unit/chum, tests/unit/wire/test_rpc.c"},
    {"import: ", "tests/unit/chum"},
    {"chum: request 0", "tests/unit/chum"},
    {"duplicate ", "test_routes.c"},
    {"route: ", "test_routes.c"},
    {"retry intervals", "test_routes.c"},
    {"silent server", "test_routes.c"},
    {"pairing: three persons", "a defect of the reference's storing"},
    {"relay: ", "tests/unit/relay"},
    {"listener vs relay", "tests/unit/net"},
};

// ---- One case ----

static void scene_begin(struct scene *s, enum conn_role role, bool person_source)
{
    memset(s, 0, sizeof *s);
    s->world = pipe_world_create();
    s->recipes = recipes_create(false);
    node_begin(&s->node, s->world, s->recipes, "ref@wire.test", "ref");
    s->node.serve_debug = true;
    s->node.token = "whatever";
    probe_begin(&s->probe, &s->node, role, person_source);
    probe_proof_begin(&s->probe);
}

static void scene_end(struct scene *s)
{
    probe_end(&s->probe);
    pipe_world_destroy(s->world);
    node_end(&s->node);
    recipes_destroy(s->recipes);
}

// ---- Cases replayed from their log ----

// The first text with this command in the direction ("out" is the probe's) as JSON, new reference in *message.
static void find_in(const json_t *log, const char *wanted, const char *command, json_t **message)
{
    size_t index;
    json_t *entry;
    json_array_foreach(log, index, entry)
    {
        const char *text = capture_text(entry, "text"), *direction = capture_text(entry, "dir");
        *message = text != NULL && strcmp(direction, wanted) == 0 ? json_loads(text, 0, NULL) : NULL;
        const char *got = capture_text(*message, "command");
        if (got != NULL && strcmp(got, command) == 0)
            return;
        json_decref(*message);
    }
    *message = NULL;
}

static void find_out(const json_t *log, const char *command, json_t **message)
{
    find_in(log, "out", command, message);
}

static void copy_hex(char out[65], const char *hex)
{
    snprintf(out, 65, "%s", hex != NULL ? hex : "");
}

static void replace(struct buf *text, const char *recorded, const struct public_key *ours)
{
    char hex[65];
    hex_encode(ours->b, BOX_KEY, hex);
    if (strlen(recorded) != 64)
        return;
    for (char *at = text->data; (at = memmem(at, text->len - (size_t)(at - text->data), recorded, 64)) != NULL;)
        memcpy(at, hex, 64);
}

static void upper(char *hex)
{
    for (; *hex != '\0'; hex++)
        *hex = (char)toupper((unsigned char)*hex);
}

static void replace_upper(struct buf *text, const char *recorded, const struct public_key *ours)
{
    char from[65], to[65];
    snprintf(from, sizeof from, "%s", recorded);
    hex_encode(ours->b, BOX_KEY, to);
    upper(from);
    upper(to);
    char *at = memmem(text->data, text->len, from, 64);
    if (at != NULL)
        memcpy(at, to, 64);
}

// The recorded probe's keys become ours, and the reference's instance key the node's.
static struct buf translate(struct scene *s, const char *recorded)
{
    static const char reference[] = "f1a590ce357886b3961b725cbeb9e35c3c0f37e3d79d612978bacd8fe58c8071";
    struct buf text = {0};
    buf_add_text(&text, recorded);
    replace(&text, s->source_hex, &s->probe.source);
    replace(&text, s->person_hex, &s->probe.person_public);
    replace(&text, reference, &s->node.identity.instance_public);
    replace_upper(&text, s->source_hex, &s->probe.source);
    replace_upper(&text, reference, &s->node.identity.instance_public);
    return text;
}

static void send_recorded_text(struct scene *s, const char *recorded, bool clear)
{
    struct buf text = translate(s, recorded);
    if (clear)
        probe_send_clear(&s->probe, true, buf_span(&text));
    else
        probe_send(&s->probe, true, buf_span(&text));
    buf_free(&text);
}

static void send_recorded_bytes(struct scene *s, const json_t *entry, bool clear)
{
    struct buf bytes = capture_bytes(entry, "hex");
    if (clear)
        probe_send_clear(&s->probe, false, buf_span(&bytes));
    else
        probe_send(&s->probe, false, buf_span(&bytes));
    buf_free(&bytes);
}

static void send_proof(struct scene *s, const char *name, unsigned nth)
{
    bool response_first = s->probe.role == CONN_INITIATOR;
    if ((nth == 0) == response_first)
        probe_respond(&s->probe, strstr(name, "bad challenge response") != NULL);
    else
        probe_challenge(&s->probe);
}

static void replay_out(struct scene *s, const char *name, const json_t *entry, unsigned *proofs)
{
    bool clear_case = strncmp(name, "phase", 5) == 0;
    const char *text = capture_text(entry, "text");
    json_int_t len = json_integer_value(json_object_get(entry, "len"));
    if (s->probe.closed)
        return;
    if (text != NULL && strstr(text, "communication_re") != NULL && !clear_case) {
        if (s->probe.role == CONN_INITIATOR)
            probe_request(&s->probe);
        else
            send_recorded_text(s, text, true);
    } else if (text != NULL) {
        send_recorded_text(s, text, clear_case);
    } else if (len == 72 && !clear_case) {
        probe_keys(&s->probe);
    } else if (len == 104) {
        send_proof(s, name, (*proofs)++);
    } else {
        send_recorded_bytes(s, entry, clear_case);
    }
}

static void allow_token(struct scene *s, const char *name, const json_t *log)
{
    json_t *message;
    bool refused = strstr(name, "unknown") != NULL || strstr(name, "twice") != NULL || strstr(name, "expired") != NULL;
    find_out(log, "authentication_token", &message);
    if (message != NULL && capture_text(message, "token") != NULL && !refused) {
        s->token = (struct pairing_token){.person = s->node.identity.person_id, .expires_ms = INT64_MAX};
        copy_hex(s->token.text, capture_text(message, "token"));
        tokens_restore(s->node.tokens, &s->token);
    }
    json_decref(message);
}

static enum conn_group group_in(const json_t *log)
{
    char *all = json_dumps(log, 0);
    enum conn_group group = strstr(all, "connectionGroupName\\\\\\\":\\\\\\\"chum") != NULL ||
                                    strstr(all, "connectionGroupName\\\":\\\"chum") != NULL
                                ? CONN_CHUM
                                : CONN_PAIRING;
    free(all);
    return group;
}

static void replay_log(struct scene *s, const char *name, const json_t *log)
{
    json_t *keys, *person;
    find_out(log, "keys_object", &keys);
    find_out(log, "person_id_object", &person);
    copy_hex(s->person_hex, capture_text(json_object_get(keys, "obj"), "publicKey"));
    const char *email = capture_text(json_object_get(person, "obj"), "email");
    by_hand_prepare prepare = by_hand_preparation(name);
    if (prepare != NULL)
        prepare(s, email);
    allow_token(s, name, log);
    probe_open(&s->probe, group_in(log));
    unsigned proofs = 0;
    size_t index;
    json_t *entry;
    json_array_foreach(log, index, entry)
    {
        if (capture_text(entry, "dir") != NULL && strcmp(capture_text(entry, "dir"), "out") == 0)
            replay_out(s, name, entry, &proofs);
    }
    pipe_sleep(s->world, 1500);
    json_decref(keys);
    json_decref(person);
}

// The probe's recorded key of the handshake. As initiator in pairing and debug that is its person key (true), as the
// reference does it.
static bool recorded_source(const json_t *log, bool initiator, char source[65])
{
    json_t *request, *keys;
    find_in(log, initiator ? "out" : "in", "communication_request", &request);
    find_out(log, "keys_object", &keys);
    const char *person = capture_text(json_object_get(keys, "obj"), "publicKey");
    copy_hex(source, capture_text(request, initiator ? "sourcePublicKey" : "targetPublicKey"));
    for (char *c = source; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    bool is_person = person != NULL && strcmp(person, source) == 0;
    json_decref(request);
    json_decref(keys);
    return is_person;
}

// ---- Comparing ----

static const char *recorded_outcome(const json_t *record)
{
    const json_t *close = json_object_get(record, "close");
    if (json_is_object(close))
        return capture_text(close, "reason");
    if (json_is_string(close))
        return OPEN;
    const json_t *log = json_object_get(record, "log");
    return capture_text(json_array_get(log, json_array_size(log) - 1), "reason");
}

static const struct deviation *find_deviation(const char *name)
{
    for (size_t i = 0; i < sizeof DEVIATIONS / sizeof DEVIATIONS[0]; i++)
        if (strcmp(DEVIATIONS[i].name, name) == 0)
            return &DEVIATIONS[i];
    return NULL;
}

static bool is_elsewhere(const char *name)
{
    for (size_t i = 0; i < sizeof ELSEWHERE / sizeof ELSEWHERE[0]; i++)
        if (strncmp(name, ELSEWHERE[i].prefix, strlen(ELSEWHERE[i].prefix)) == 0)
            return true;
    return false;
}

static void run_case(struct scene *s, const char *name, const json_t *log)
{
    by_hand_play play = by_hand_find(name);
    if (play == NULL) {
        replay_log(s, name, log);
        return;
    }
    probe_open(&s->probe, CONN_PAIRING);
    play(s);
}

static bool check_case(const json_t *record)
{
    const char *name = capture_text(record, "case");
    const json_t *log = json_object_get(record, "log");
    bool acceptor = strcmp(capture_text(record, "target"), "acceptor") == 0;
    char source[65];
    bool person_source = recorded_source(log, acceptor, source);
    struct scene s;
    scene_begin(&s, acceptor ? CONN_INITIATOR : CONN_ACCEPTOR, person_source);
    memcpy(s.source_hex, source, sizeof source);
    run_case(&s, name, log);

    const struct deviation *deviation = find_deviation(name);
    const char *expected = deviation != NULL ? deviation->ours : recorded_outcome(record);
    const char *got = s.probe.closed ? s.probe.reason : OPEN;
    bool same = strcmp(got, expected) == 0;
    if (!same)
        print_error("%s\n  expected %s\n  got      %s\n", name, expected, got);
    if (deviation != NULL && strcmp(got, recorded_outcome(record)) == 0) {
        print_error("%s: no deviation any more\n", name);
        same = false;
    }
    scene_end(&s);
    return same;
}

static void recorded_errors_are_answered_alike(void **state)
{
    (void)state;
    json_t *errors = capture_load("errors"), *record;
    size_t index, checked = 0, elsewhere = 0, wrong = 0;
    json_array_foreach(errors, index, record)
    {
        if (capture_text(record, "case") == NULL)
            continue;
        if (is_elsewhere(capture_text(record, "case"))) {
            elsewhere++;
            continue;
        }
        checked++;
        wrong += !check_case(record);
    }
    print_message("%zu cases, %zu elsewhere\n", checked, elsewhere);
    assert_int_equal(wrong, 0);
    assert_int_equal(checked + elsewhere, json_array_size(errors) - 1);
    json_decref(errors);
}

static void every_deviation_is_documented(void **state)
{
    (void)state;
    FILE *f = fopen(TEST_VECTORS "/../../docs/conformance.md", "r");
    assert_non_null(f);
    struct buf doc = {0};
    for (size_t n = 1; n != 0; doc.len += n)
        n = fread(buf_reserve(&doc, 4096), 1, 4096, f);
    fclose(f);
    for (size_t i = 0; i < sizeof DEVIATIONS / sizeof DEVIATIONS[0]; i++)
        if (strstr(buf_cstr(&doc), DEVIATIONS[i].name) == NULL)
            fail_msg("docs/conformance.md does not name: %s", DEVIATIONS[i].name);
    buf_free(&doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_errors_are_answered_alike),
        cmocka_unit_test(every_deviation_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
