// Recorded connections of the reference, replayed with our node in the place of either side: fed with what the other
// side sent, ours sends byte for byte what was recorded.
#include "capture.h"
#include "fixture.h"
#include "tests/unit/cmocka_all.h"

struct replay {
    json_t *capture; // without what went on with a relay before the handover
    const json_t *header;
    const char *own; // the direction we take: "c2s" or "s2c"
    struct pipe_world *world;
    struct recipes *recipes;
    struct node node;
    struct scripted_random random;
    struct transport *ends[2]; // ours, and the end that stands for the recorded other side
    size_t next_sent;          // record our next message is compared with
};

// ---- The recorded identities ----

static void take_keys(const json_t *side, const char *which, struct public_key *public_key, struct secret *secret,
                      struct sign_public *sign_public)
{
    const json_t *keys = json_object_get(side, which);
    capture_fixed(keys, "publicKey", public_key->b, BOX_KEY);
    capture_fixed(keys, "publicSignKey", sign_public->b, SIGN_PUBLIC);
    *secret = capture_secret(keys, "secretKey");
}

static void take_identity(struct replay *r, struct node *n, const char *side_name)
{
    const json_t *side = json_object_get(r->header, side_name);
    struct conn_identity *i = &n->identity;
    node_end(n);
    node_begin(n, r->world, r->recipes, capture_text(side, "email"), capture_text(side, "name"));
    secret_destroy(&i->person_secret);
    secret_destroy(&i->instance_secret);
    take_keys(side, "person", &i->person_public, &i->person_secret, &i->person_sign_public);
    take_keys(side, "instance", &i->instance_public, &i->instance_secret, &i->instance_sign_public);
    n->own = pairing_identity_of(i, NULL);
    assert_string_equal(hash_text(&i->person_id).s, capture_text(side, "personId"));
    assert_string_equal(hash_text(&i->instance_id).s, capture_text(side, "instanceId"));
}

// The reference uses its person key as source for pairing and debug, ours never does: here ours is given it.
static void use_recorded_source(struct replay *r)
{
    const json_t *handshake = json_object_get(r->header, "handshake");
    struct conn_identity *i = &r->node.identity;
    capture_fixed(handshake, "sourcePublicKey", i->instance_public.b, BOX_KEY);
    secret_destroy(&i->instance_secret);
    i->instance_secret = capture_secret(handshake, "sourceSecretKey");
}

// ---- The recorded random bytes, in the order in which our side draws them ----

static void add_hex(struct replay *r, const json_t *object, const char *name)
{
    struct buf bytes = capture_bytes(object, name);
    buf_add_span(&r->random.bytes, buf_span(&bytes));
    buf_free(&bytes);
}

static void add_frame(struct replay *r, const json_t *record, const struct secret *key, unsigned proofs)
{
    const json_t *enc = json_object_get(record, "enc"), *inner = json_object_get(enc, "inner");
    bool challenge = strcmp(r->own, "s2c") == 0 ? proofs == 0 : proofs == 1;
    if (inner != NULL && challenge)
        add_hex(r, inner, "plainHex");
    if (inner != NULL)
        add_hex(r, inner, "nonceHex");
    struct buf frame = capture_bytes(record, "hex");
    scripted_random_add_padding(&r->random, key, (uint64_t)json_integer_value(json_object_get(enc, "nonce")),
                                buf_span(&frame));
    buf_free(&frame);
}

static void script_random(struct replay *r)
{
    const json_t *handshake = json_object_get(r->header, "handshake");
    const json_t *ephemeral =
        json_object_get(json_object_get(handshake, "ephemeral"), strcmp(r->own, "c2s") == 0 ? "c" : "s");
    struct secret key = capture_secret(handshake, "sharedKey");
    unsigned proofs = 0;
    size_t index;
    json_t *record;
    json_array_foreach(r->capture, index, record)
    {
        const char *direction = capture_text(record, "dir");
        if (direction == NULL || strcmp(direction, r->own) != 0 || json_object_get(record, "hex") == NULL)
            continue;
        if (json_object_get(record, "key") != NULL) {
            add_hex(r, ephemeral, "secretKey");
            add_hex(r, json_object_get(record, "key"), "nonceHex");
        } else {
            add_frame(r, record, &key, proofs);
            proofs += json_object_get(json_object_get(record, "enc"), "inner") != NULL;
        }
    }
    secret_destroy(&key);
}

// ---- Our side's messages are compared, the other side's are fed ----

static const json_t *next_own(struct replay *r)
{
    const json_t *record = NULL;
    do
        record = json_array_get(r->capture, r->next_sent++);
    while (record != NULL && (capture_text(record, "dir") == NULL || strcmp(capture_text(record, "dir"), r->own) != 0));
    return record;
}

static bool compare_sent(void *ctx, int from, bool *text, struct buf *payload)
{
    struct replay *r = ctx;
    if (from != 0)
        return true;
    const json_t *record = next_own(r);
    assert_non_null(record);
    if (*text) {
        assert_string_equal(buf_cstr(payload), capture_text(record, "text"));
    } else {
        struct buf expected = capture_bytes(record, "hex");
        assert_int_equal(payload->len, expected.len);
        assert_memory_equal(payload->data, expected.data, expected.len);
        buf_free(&expected);
    }
    return true;
}

static void feed(struct replay *r, const json_t *record)
{
    if (strcmp(capture_text(record, "kind"), "text") == 0) {
        pipe_inject(r->ends[0], true, span_of(capture_text(record, "text")));
    } else if (strcmp(capture_text(record, "kind"), "binary") == 0) {
        struct buf bytes = capture_bytes(record, "hex");
        pipe_inject(r->ends[0], false, buf_span(&bytes));
        buf_free(&bytes);
    }
    pipe_settle(r->world);
}

// A group without a protocol of ours here: its messages are sent as recorded. Fragmented ones were recorded in pieces.
static void send_recorded(struct replay *r, const json_t *record)
{
    const json_t *enc = json_object_get(record, "enc");
    if (r->node.conn == NULL || conn_state(r->node.conn) != CONN_ACTIVE || capture_text(enc, "text") == NULL)
        return;
    conn_send_text(r->node.conn, span_of(capture_text(enc, "text")));
    pipe_settle(r->world);
}

static void replay_begin(struct replay *r, const char *name, const char *own)
{
    *r = (struct replay){.own = own};
    json_t *whole = capture_load(name), *record;
    r->capture = json_array();
    size_t index;
    bool begun = false;
    json_array_foreach(whole, index, record)
    {
        const char *phase = capture_text(record, "phase");
        begun |= phase != NULL && strcmp(phase, "handshake") == 0;
        if (index == 0 || begun)
            json_array_append(r->capture, record);
    }
    json_decref(whole);
    r->header = json_array_get(r->capture, 0);
    r->world = pipe_world_create();
    r->recipes = recipes_create(false);
    node_begin(&r->node, r->world, r->recipes, "", "");
    scripted_random_begin(&r->random);
    script_random(r);
    take_identity(r, &r->node, strcmp(own, "c2s") == 0 ? "c" : "s");
    r->node.host.random = &r->random.source;
}

static void replay_end(struct replay *r)
{
    pipe_world_destroy(r->world);
    node_end(&r->node);
    recipes_destroy(r->recipes);
    scripted_random_end(&r->random);
    json_decref(r->capture);
}

static enum conn_group group_of(const char *name)
{
    return strstr(name, "pairing") != NULL ? CONN_PAIRING : strstr(name, "chum") != NULL ? CONN_CHUM : CONN_DEBUG;
}

static void open_connection(struct replay *r, enum conn_group group)
{
    struct pipe_line line = {.pass = compare_sent, .ctx = r};
    pipe_open(r->world, &line, r->ends);
    if (strcmp(r->own, "s2c") == 0) {
        r->node.conn = conn_accept(r->ends[0], &r->node.host, (struct span){0});
        return;
    }
    struct public_key target;
    capture_fixed(json_object_get(r->header, "handshake"), "targetPublicKey", target.b, BOX_KEY);
    use_recorded_source(r);
    r->node.conn = conn_initiate(r->ends[0], &r->node.host, &r->node.identity, &target, group);
    pipe_settle(r->world);
}

// The first recorded message with this command as JSON, from the side ("c" or "s"); new reference.
static json_t *find_message(const struct replay *r, char side, const char *command)
{
    json_t *record, *found = NULL;
    size_t index;
    json_array_foreach(r->capture, index, record)
    {
        const char *direction = capture_text(record, "dir");
        const char *text = capture_text(json_object_get(record, "enc"), "text");
        json_t *message = text != NULL && direction[0] == side && found == NULL ? json_loads(text, 0, NULL) : NULL;
        const char *got = capture_text(message, "command");
        if (got != NULL && strcmp(got, command) == 0)
            found = json_incref(message);
        json_decref(message);
    }
    assert_non_null(found);
    return found;
}

static void prepare_pairing(struct replay *r, struct pairing_token *token)
{
    json_t *shown = find_message(r, 'c', "authentication_token");
    *token = (struct pairing_token){.person = r->node.identity.person_id, .expires_ms = INT64_MAX};
    snprintf(token->text, sizeof token->text, "%s", capture_text(shown, "token"));
    tokens_restore(r->node.tokens, token);
    r->node.token = token->text;
    json_decref(shown);
    json_t *identity = find_message(r, r->own[0], "identity");
    const char *url = capture_text(json_object_get(identity, "obj"), "url");
    r->node.own.url = url != NULL ? mem_text(span_of(url)) : NULL;
    json_decref(identity);
}

// The recorded answer: an array as it was written, or the text inside.
static struct buf debug_content(const struct replay *r)
{
    struct buf content = {0};
    size_t index;
    json_t *record;
    json_array_foreach(r->capture, index, record)
    {
        const char *text = capture_text(json_object_get(record, "enc"), "text");
        const char *objects = text != NULL ? strstr(text, "\"accessible_objects\",\"objects\":") : NULL;
        json_t *message = text != NULL && strstr(text, "{\"type\":\"data\"") == text ? json_loads(text, 0, NULL) : NULL;
        if (objects != NULL)
            buf_add(&content, objects + 31, strlen(objects) - 32);
        else if (message != NULL)
            buf_add_text(&content, capture_text(message, "data"));
        json_decref(message);
    }
    return content;
}

static void run(struct replay *r, enum conn_group group)
{
    open_connection(r, group);
    json_t *record;
    size_t index;
    json_array_foreach(r->capture, index, record)
    {
        const char *direction = capture_text(record, "dir"), *phase = capture_text(record, "phase");
        if (direction == NULL || json_object_get(record, "kind") == NULL)
            continue;
        if (index > 0 &&
            json_integer_value(json_object_get(record, "n")) !=
                json_integer_value(json_object_get(json_array_get(r->capture, index - 1), "n")) + 1 &&
            index > 1)
            break; // from here on the recording has a hole
        if (strcmp(direction, r->own) != 0)
            feed(r, record);
        else if (group != CONN_PAIRING && !r->node.serve_debug && strcmp(phase, "handshake") != 0 &&
                 strcmp(phase, "group") != 0 && strcmp(phase, "identity") != 0)
            send_recorded(r, record);
    }
}

static void replay_both_sides(const char *name, size_t least)
{
    static const char *const sides[] = {"c2s", "s2c"};
    for (size_t i = 0; i < 2; i++) {
        struct replay r;
        struct pairing_token token;
        replay_begin(&r, name, sides[i]);
        enum conn_group group = group_of(name);
        if (group == CONN_PAIRING)
            prepare_pairing(&r, &token);
        struct buf content = debug_content(&r);
        r.node.serve_debug = group == CONN_DEBUG && strcmp(sides[i], "s2c") == 0;
        r.node.debug_answer = buf_span(&content);
        run(&r, group);
        assert_int_equal(r.node.ready_count, 1);
        assert_true(r.next_sent > least);
        if (group == CONN_PAIRING) {
            assert_int_equal(r.node.store_count, 1);
            assert_string_equal(r.node.finished_why.code, "");
            const json_t *rest = next_own(&r);
            assert_true(rest == NULL || strcmp(capture_text(rest, "kind"), "close") == 0);
        }
        if (r.node.serve_debug)
            assert_string_equal(pipe_closed(r.ends[0]),
                                strstr(name, "objects") != NULL
                                    ? "Close called: Debug protocol \"getAccessibleObjects\" finished"
                                    : "Close called: Debug protocol \"getData\" finished");
        free(r.node.own.url);
        replay_end(&r);
        buf_free(&content);
    }
}

static void pairing_over_a_socket(void **state)
{
    (void)state;
    replay_both_sides("direct-pairing", 17);
}

static void pairing_over_a_relay(void **state)
{
    (void)state;
    replay_both_sides("relay-pairing", 17);
}

static void chum_over_a_socket(void **state)
{
    (void)state;
    replay_both_sides("direct-chum", 60);
}

static void chum_over_a_relay(void **state)
{
    (void)state;
    replay_both_sides("relay-chum", 30);
}

static void chum_that_was_refused(void **state)
{
    (void)state;
    replay_both_sides("direct-chum-refused", 15);
    replay_both_sides("relay-chum-refused", 15);
}

static void debug_requests(void **state)
{
    (void)state;
    replay_both_sides("direct-debug-objects", 15);
    replay_both_sides("direct-debug-data", 15);
    replay_both_sides("direct-debug-blob", 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairing_over_a_socket), cmocka_unit_test(pairing_over_a_relay),
        cmocka_unit_test(chum_over_a_socket),    cmocka_unit_test(chum_over_a_relay),
        cmocka_unit_test(chum_that_was_refused), cmocka_unit_test(debug_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
