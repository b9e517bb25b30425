// Recorded CHUM connections (tests/vectors/wire), with a session of ours in the place of one of the two importers: it
// is answered with what the other side answered then, decrypted from the recorded frames. What the recorded importer
// fetched, ours has to have in the end. Roots below which the recorded importer already had something (keys: known
// since pairing), or of which something was left out of the captures here (licences, most of a long BLOB), cannot come
// through.
#include "capture.h"
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "tests/support/fixture.h"
#include "wire/fragment.h"
#include "wire/frame.h"

enum { C2S, S2C };

static const struct recorded_import {
    const char *capture;
    int direction; // of the importer's questions
    size_t taken;  // at least so many of the objects and files it fetched ours has too; complete captures give more
} IMPORTS[] = {
    {"direct-chum", C2S, 16},
    {"direct-chum-blob", C2S, 4},
    {"direct-chum-blob", S2C, 4},
};

// ---- The recorded messages -----------------------------------------------------------------------------------------

struct message {
    int direction;
    bool text;
    struct buf bytes;
    json_t *json; // of a text
};

struct recording {
    struct message *messages;
    size_t count;
};

static void add_message(struct recording *r, int direction, const struct fragment_message *m)
{
    r->messages = mem_resize(r->messages, (r->count + 1) * sizeof *r->messages);
    struct message *added = &r->messages[r->count++];
    *added = (struct message){.direction = direction, .text = m->text};
    buf_add_span(&added->bytes, m->bytes);
    if (m->text)
        added->json = json_loadb(m->bytes.ptr, m->bytes.len, 0, NULL);
}

static struct buf open_frame(const json_t *record, const struct secret *key, bool *text)
{
    struct secret own = secret_copy(key->data, key->len);
    struct buf frame = capture_bytes(record, "hex");
    struct buf opened = {0};
    struct frame_codec codec;
    frame_codec_begin(&codec, &own, FRAME_ACCEPTOR, &RANDOM_SYSTEM);
    codec.receive = (uint64_t)json_integer_value(json_object_get(json_object_get(record, "enc"), "nonce"));
    assert_int_equal(frame_open(&codec, buf_span(&frame), text, &opened, NULL), STATUS_OK);
    frame_codec_end(&codec);
    buf_free(&frame);
    return opened;
}

static void read_recording(const json_t *capture, struct recording *r)
{
    size_t i;
    const json_t *record;
    struct fragment_receiver receivers[2] = {{.limit = 1 << 20}, {.limit = 1 << 20}};
    struct secret key = capture_secret(json_object_get(json_array_get(capture, 0), "handshake"), "sharedKey");
    memset(r, 0, sizeof *r);
    json_array_foreach(capture, i, record)
    {
        struct fragment_message m = {0};
        bool text;
        if (json_object_get(record, "enc") == NULL)
            continue;
        int direction = strcmp(capture_text(record, "dir"), "c2s") == 0 ? C2S : S2C;
        struct buf opened = open_frame(record, &key, &text);
        if (fragment_receive(&receivers[direction], text, buf_span(&opened), &m, NULL) != STATUS_OK) {
            // Some records are not kept: the message begun before never ends.
            fragment_receiver_end(&receivers[direction]);
            receivers[direction] = (struct fragment_receiver){.limit = 1 << 20};
            fragment_receive(&receivers[direction], text, buf_span(&opened), &m, NULL);
        }
        if (m.present)
            add_message(r, direction, &m);
        buf_free(&opened);
    }
    fragment_receiver_end(&receivers[C2S]);
    fragment_receiver_end(&receivers[S2C]);
    secret_destroy(&key);
}

static void free_recording(struct recording *r)
{
    for (size_t i = 0; i < r->count; i++) {
        buf_free(&r->messages[i].bytes);
        json_decref(r->messages[i].json);
    }
    free(r->messages);
}

static bool is_request(const struct message *m, int direction)
{
    return m->direction == direction && json_is_integer(json_object_get(m->json, "serviceId"));
}

static json_int_t service_of(const struct message *m)
{
    return json_integer_value(json_object_get(m->json, "serviceId"));
}

// ---- The recorded exporter -----------------------------------------------------------------------------------------

struct player {
    const struct recording *recording;
    int direction; // of the questions
    size_t lists;  // root lists given so far
    size_t lists_recorded;
};

// The recorded question: the nth of its kind for root lists, the first that asks the same for everything else.
static const struct message *find_question(const struct player *p, int direction, json_int_t service,
                                           const json_t *args, size_t nth)
{
    for (size_t i = 0; i < p->recording->count; i++) {
        const struct message *m = &p->recording->messages[i];
        if (!is_request(m, direction) || service_of(m) != service)
            continue;
        if (service == CHUM_GET_ACCESSIBLE_ROOTS ? nth-- == 0 : json_equal(json_object_get(m->json, "args"), args))
            return m;
    }
    return NULL;
}

static bool is_answer(const struct message *m, int direction, json_int_t id)
{
    double number = -1;
    if (m->direction == direction)
        return false;
    if (m->text)
        return json_is_integer(json_object_get(m->json, "responseId")) &&
               json_integer_value(json_object_get(m->json, "responseId")) == id;
    if (m->bytes.len < sizeof number)
        return false;
    memcpy(&number, m->bytes.data, sizeof number);
    return number == (double)id;
}

static void send_again(struct script *script, const struct message *m, json_int_t id)
{
    if (m->text) {
        json_t *copy = json_copy(m->json);
        json_object_set_new(copy, "responseId", json_integer(id));
        char *text = json_dumps(copy, JSON_COMPACT);
        conn_send_text(script->conn, span_of(text));
        free(text);
        json_decref(copy);
        return;
    }
    struct buf bytes = {0};
    double number = (double)id;
    buf_add(&bytes, &number, sizeof number);
    buf_add_span(&bytes, span_from(buf_span(&m->bytes), sizeof number));
    conn_send_binary(script->conn, buf_span(&bytes));
    buf_free(&bytes);
}

static bool serve(void *ctx, struct script *script, const struct rpc_request *r)
{
    struct player *p = ctx;
    size_t nth = p->lists;
    if (r->service == CHUM_GET_PROTOCOL_VERSION) // its first recorded answer may be an error, its second is known
        return false;
    if (r->service == CHUM_GET_ACCESSIBLE_ROOTS && p->lists + 1 < p->lists_recorded)
        p->lists++;
    const struct message *question = find_question(p, p->direction, r->service, r->args, nth);
    if (question == NULL) // the recorded importer had given it to the other side itself
        question = find_question(p, 1 - p->direction, r->service, r->args, 0);
    if (question == NULL) {
        rpc_answer_error(script->rpc, r->id, "Error", "not recorded", "NOT-RECORDED");
        return true;
    }
    json_int_t id = json_integer_value(json_object_get(question->json, "requestId"));
    for (size_t i = 0; i < p->recording->count; i++) {
        if (is_answer(&p->recording->messages[i], question->direction, id))
            send_again(script, &p->recording->messages[i], r->id);
    }
    return true;
}

static size_t count_lists(const struct recording *r, int direction)
{
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++)
        count += is_request(&r->messages[i], direction) && service_of(&r->messages[i]) == CHUM_GET_ACCESSIBLE_ROOTS;
    return count;
}

// ---- Imports -------------------------------------------------------------------------------------------------------

// Both persons are known since pairing, and each side made the channel of their chat by itself.
static void put_known(struct side *side, const json_t *header)
{
    const json_t *c = json_object_get(header, "c");
    const json_t *s = json_object_get(header, "s");
    const char *first = capture_text(c, "personId");
    const char *second = capture_text(s, "personId");
    bool in_order = strcmp(first, second) < 0;
    side_put(side, "{'$type$':'Person','email':'%s'}", capture_text(c, "email"));
    side_put(side, "{'$type$':'Person','email':'%s'}", capture_text(s, "email"));
    side_put(side, "{'$type$':'ChannelInfo','id':'%s<->%s'}", in_order ? first : second, in_order ? second : first);
}

static void count_taken(struct side *side, const struct recording *r, int direction, size_t *taken, size_t *missing)
{
    for (size_t i = 0; i < r->count; i++) {
        struct hash hash;
        const struct message *m = &r->messages[i];
        if (!is_request(m, direction) || service_of(m) < CHUM_GET_OBJECT || service_of(m) > CHUM_GET_BLOB)
            continue;
        const json_t *first = json_array_get(json_object_get(m->json, "args"), 0);
        assert_true(hash_parse((struct span){json_string_value(first), json_string_length(first)}, &hash));
        if (side_presence(side, &hash) == STORE_PRESENT)
            (*taken)++;
        else
            (*missing)++;
    }
}

static void replay_import(const struct recorded_import *import)
{
    struct stage stage;
    struct script script;
    struct recording recording;
    size_t taken = 0;
    size_t missing = 0;
    json_t *capture = capture_load(import->capture);
    read_recording(capture, &recording);
    stage_begin(&stage, 2, stage_recorded_recipes, NULL);
    script_begin(&script);
    struct side *ours = &stage.sides[0];
    struct player player = {&recording, import->direction, 0, count_lists(&recording, import->direction)};
    script.serve = serve;
    script.ctx = &player;
    stage.sides[1].script = &script;
    put_known(ours, json_array_get(capture, 0));
    stage_connect(&stage, ours, &stage.sides[1], NULL);
    stage_wait_passes(&stage, ours, player.lists_recorded + 1);
    count_taken(ours, &recording, import->direction, &taken, &missing);
    print_message("%s: %zu taken, %zu out of reach\n", import->capture, taken, missing);
    assert_true(taken >= import->taken);
    stage_end(&stage);
    script_end(&script);
    free_recording(&recording);
    json_decref(capture);
}

static void recorded_exporters_give_ours_what_they_gave(void **state)
{
    (void)state;
    crypto_init();
    for (size_t i = 0; i < sizeof IMPORTS / sizeof *IMPORTS; i++)
        replay_import(&IMPORTS[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_exporters_give_ours_what_they_gave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
