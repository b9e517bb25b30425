// What the reference did in a running CHUM with malformed, forbidden or unusual input (tests/vectors/wire/errors.json,
// cases "rpc: …" and "import: …"), tried on a session of ours by a peer that plays the recorded probe. Where we do
// otherwise on purpose, DEVIATIONS says what; docs/conformance.md says why.
#include "capture.h"
#include "script.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "base/text.h"
#include "tests/support/fixture.h"

static const char OPEN[] = "open";

static const struct deviation {
    const char *name;
    const char *end; // the close reason with N for numbers in brackets, or OPEN
} DEVIATIONS[] = {
    {"rpc: binary frame of 4 bytes", OPEN},
    {"rpc: binary frame of 0 bytes", OPEN},
    {"rpc: own version \"8\" (string)", "Close called: Chum ended [N] with error: Error: CS-MISMATCH: [N] Chum "
                                        "protocol mismatch, local: 8, remote: \"8\""},
    {"rpc: no services offered (UNKNOWN-SERVICE for ever)",
     "Close called: Chum ended [N] with error: Error: UNKNOWN-SERVICE: TypeError: no service"},
    {"rpc: version call fails with another code", "Close called: Chum ended [N] with error: Error: X: Error: boom"},
    {"rpc: roots not a string",
     "Close called: Chum ended [N] with error: Error: DAH-PAO1: the peer's answer is not a text"},
    {"rpc: roots not JSON", "Close called: Chum ended [N] with error: Error: DAH-PAO1: the list is not JSON"},
    {"rpc: roots unknown type", "Close called: Chum ended [N] with error: Error: DAH-PAO3: unknown kind of root: foo"},
    {"rpc: roots error", OPEN},
    {"import: version_node: exporter refuses the object (fatal)", OPEN},
    {"import: version_node: dataIdHash wrong (fatal)", OPEN},
    {"import: version_node: dataType wrong (fatal)", OPEN},
    {"import: children list with unknown type (fatal for version_node)", OPEN},
};

static const struct { // codes of the roots that failed, each with a blank; where it is not told, none did
    const char *name;
    const char *codes;
} FAILURES[] = {
    {"import: unversioned: wrong content for hash (tolerated)", "CIEC-FO2 "},
    {"import: unversioned: oneType mismatch (tolerated)", "CIEC-FOWT1 "},
    {"import: unversioned: obj dependency not in children list (stored anyway)", "CI-ACO "},
    {"import: version_node: exporter refuses the object (fatal)", "CES-GO1 "},
    {"import: version_node: dataIdHash wrong (fatal)", "CI-CCI1 "},
    {"import: version_node: dataType wrong (fatal)", "CI-CCI2 "},
    {"import: id: refused (tolerated)", "CES-GIDO1 "},
    {"import: children list with unknown type (fatal for version_node)", "DC-PC3 "},
    // Ours goes on without the BLOB and asks for the object, which the reference did not.
    {"import: blob with wrong content (tolerated, unversioned root)", "NOT-RECORDED "},
    {"import: blob stream-error (tolerated)", "NOT-RECORDED "},
};

// Cases without a record of their messages, or that need the whole store of the recorded side.
static const struct {
    const char *prefix;
    const char *where;
} ELSEWHERE[] = {
    {"rpc: exporter services", "exporter.json of the vectors"},
    {"rpc: blob and clob encodings", "exporter.json of the vectors"},
    {"rpc: FIN", "ours goes on serving"},
    {"rpc: args not an array", "tests/unit/wire/test_rpc.c"},
    {"import: object whose", "import.json of the vectors, reject-child-list-… and accept-child-list-…"},
    {"import: order of fetches", "ours fetches several things at a time"},
    {"import: versioned root", "import.json of the vectors, versioned-by-access-no-head"},
    {"import: edge and change", "import.json of the vectors, idaccess-chain-first-sync"},
    {"import: version head after", "import.json of the vectors, idaccess-chain-first-sync"},
};

// ---- The recorded probe --------------------------------------------------------------------------------------------

struct probe {
    struct script *script;
    const json_t *records; // of all cases
    const json_t *log;     // of this one
    struct buf answers;    // to its own requests, one per line
    unsigned root_lists;   // how often it was asked for its roots
};

// A text stream of the case "blob sent as base64" was too long to be recorded: it was 1,000 times the byte 1.
static json_t *base64_stream(json_int_t id)
{
    enum { BYTES = 1000 };
    struct buf bytes = {0};
    struct buf text = {0};
    memset(buf_reserve(&bytes, BYTES), 1, BYTES);
    base64_encode(bytes.data, BYTES, &text);
    json_t *message = json_pack("{s:I,s:s,s:s%,s:s}", "responseId", id, "type", "stream", "chunk", text.data, text.len,
                                "encoding", "base64");
    buf_free(&bytes);
    buf_free(&text);
    return message;
}

static json_t *entry_json(const json_t *entry, const char *direction)
{
    const char *dir = capture_text(entry, "dir");
    const char *text = capture_text(entry, "text");
    if (dir == NULL || text == NULL || strcmp(dir, direction) != 0)
        return NULL;
    json_int_t id;
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    bool is_cut = json == NULL && sscanf(text, "{\"responseId\":%lld,\"type\":\"stream\",", &id) == 1;
    return is_cut ? base64_stream(id) : json;
}

// Its arguments are for tandem; the reference has no parameters there.
static bool asks_version(const json_t *request)
{
    return json_integer_value(json_object_get(request, "serviceId")) == CHUM_GET_PROTOCOL_VERSION;
}

// The recorded request that asks the same: its id, or -1.
static json_int_t find_request(const json_t *log, const json_t *request)
{
    size_t i;
    const json_t *entry;
    json_int_t id = -1;
    json_array_foreach(log, i, entry)
    {
        json_t *recorded = entry_json(entry, "in");
        if (id < 0 && json_is_integer(json_object_get(recorded, "requestId")) &&
            json_equal(json_object_get(recorded, "serviceId"), json_object_get(request, "serviceId")) &&
            (asks_version(request) || json_equal(json_object_get(recorded, "args"), json_object_get(request, "args"))))
            id = json_integer_value(json_object_get(recorded, "requestId"));
        json_decref(recorded);
    }
    return id;
}

static void send_text(struct probe *p, const json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT | JSON_ENCODE_ANY);
    conn_send_text(p->script->conn, span_of(text));
    free(text);
}

// Long contents are recorded by their beginning: they were one byte over and over.
static void send_filled(struct probe *p, const json_t *entry, json_int_t id)
{
    struct buf bytes = capture_bytes(entry, "hex");
    size_t len = (size_t)json_integer_value(json_object_get(entry, "len"));
    double number = (double)id;
    memcpy(bytes.data, &number, sizeof number);
    while (bytes.len < len)
        buf_add_char(&bytes, bytes.data[sizeof number]);
    conn_send_binary(p->script->conn, buf_span(&bytes));
    buf_free(&bytes);
}

static bool is_answer_to(const json_t *entry, const json_t *message, json_int_t id)
{
    if (json_is_integer(json_object_get(message, "responseId")))
        return json_integer_value(json_object_get(message, "responseId")) == id;
    const char *dir = capture_text(entry, "dir");
    const char *hex = capture_text(entry, "hex");
    double number = -1;
    return dir != NULL && strcmp(dir, "out") == 0 && hex != NULL && strlen(hex) >= 16 &&
           hex_decode((struct span){hex, 16}, &number, sizeof number) && number == (double)id;
}

static void send_recorded_answers(struct probe *p, const json_t *log, json_int_t recorded, json_int_t id)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(log, i, entry)
    {
        json_t *message = entry_json(entry, "out");
        if (is_answer_to(entry, message, recorded)) {
            if (message == NULL) {
                send_filled(p, entry, id);
            } else {
                json_object_set_new(message, "responseId", json_integer(id));
                send_text(p, message);
            }
        }
        json_decref(message);
    }
}

static void answer_otherwise(struct probe *p, const json_t *request, json_int_t id)
{
    json_t *answer;
    if (json_integer_value(json_object_get(request, "serviceId")) == CHUM_GET_ACCESSIBLE_ROOTS)
        answer = json_pack("{s:I,s:s,s:s}", "responseId", id, "type", "data", "data", "[]");
    else
        answer = json_pack("{s:I,s:s,s:{s:s,s:s,s:s}}", "responseId", id, "type", "error", "error", "name", "Error",
                           "message", "not recorded", "code", "NOT-RECORDED");
    send_text(p, answer);
    json_decref(answer);
}

static bool was_refused(const json_t *log, json_int_t id)
{
    size_t i;
    const json_t *entry;
    bool refused = false;
    json_array_foreach(log, i, entry)
    {
        json_t *message = entry_json(entry, "out");
        refused = refused || (is_answer_to(entry, message, id) && json_object_get(message, "error") != NULL);
        json_decref(message);
    }
    return refused;
}

// The cases were recorded one after the other with one peer: it kept what earlier ones had brought.
static void answer(struct probe *p, const json_t *request, json_int_t id)
{
    size_t i;
    const json_t *record;
    bool lists = json_integer_value(json_object_get(request, "serviceId")) <= CHUM_GET_ACCESSIBLE_ROOTS;
    json_int_t recorded = find_request(p->log, request);
    const json_t *log = p->log;
    json_array_foreach(p->records, i, record)
    {
        if (recorded >= 0 || lists)
            break;
        log = json_object_get(record, "log");
        recorded = find_request(log, request);
        if (was_refused(log, recorded))
            recorded = -1;
    }
    if (recorded >= 0)
        send_recorded_answers(p, log, recorded, id);
    else
        answer_otherwise(p, request, id);
}

static bool on_message(void *ctx, struct script *script, bool text, struct span message)
{
    struct probe *p = ctx;
    json_t *json = text ? json_loadb(message.ptr, message.len, 0, NULL) : NULL;
    const json_t *request = json_object_get(json, "requestId");
    p->script = script;
    if (json_is_integer(request)) {
        p->root_lists += json_integer_value(json_object_get(json, "serviceId")) == CHUM_GET_ACCESSIBLE_ROOTS;
        answer(p, json, json_integer_value(request));
    } else {
        buf_add_span(&p->answers, message);
        buf_add_char(&p->answers, '\n');
    }
    json_decref(json);
    return true;
}

// ---- One case ------------------------------------------------------------------------------------------------------

struct scene {
    struct stage stage;
    struct side *ours;
    struct script script;
    struct probe probe;
};

static void begin_scene(struct scene *s, const json_t *records, const json_t *log)
{
    memset(s, 0, sizeof *s);
    stage_begin(&s->stage, 2, stage_recorded_recipes, NULL);
    script_begin(&s->script);
    s->ours = &s->stage.sides[0];
    s->stage.sides[1].script = &s->script;
    s->probe.records = records;
    s->probe.log = log;
    s->script.raw = on_message;
    s->script.ctx = &s->probe;
}

static void end_scene(struct scene *s)
{
    stage_end(&s->stage);
    script_end(&s->script);
    buf_free(&s->probe.answers);
}

static bool first_pass_is_over(void *ctx)
{
    const struct scene *s = ctx;
    const struct side *side = s->ours;
    bool passed = side->session != NULL && chum_session_counts(side->session).passes != 0;
    return passed || side->closed != 0 || s->probe.root_lists > 1;
}

static bool is_own_message(const json_t *entry, const json_t *log)
{
    size_t i;
    const json_t *other;
    bool own = true;
    const char *dir = capture_text(entry, "dir");
    if (dir == NULL || strcmp(dir, "out") != 0)
        return false;
    json_t *message = entry_json(entry, "out");
    json_array_foreach(log, i, other)
    {
        json_t *request = entry_json(other, "in");
        const json_t *id = json_object_get(request, "requestId");
        own = own && !(json_is_integer(id) && is_answer_to(entry, message, json_integer_value(id)));
        json_decref(request);
    }
    json_decref(message);
    return own;
}

static size_t after_synchronisation(const json_t *log)
{
    size_t i;
    size_t after = 0;
    const json_t *entry;
    json_array_foreach(log, i, entry)
    {
        const char *text = capture_text(entry, "text");
        if (text != NULL && strcmp(text, "synchronisation") == 0)
            after = i + 1;
    }
    return after;
}

// Sends what the probe sent on its own account.
static void send_own_messages(struct scene *s, const json_t *log)
{
    for (size_t i = after_synchronisation(log); i < json_array_size(log); i++) {
        const json_t *entry = json_array_get(log, i);
        const char *text = capture_text(entry, "text");
        if (!is_own_message(entry, log) || s->script.conn == NULL)
            continue;
        if (text != NULL) {
            conn_send_text(s->script.conn, span_of(text));
        } else {
            struct buf bytes = capture_bytes(entry, "hex");
            conn_send_binary(s->script.conn, buf_span(&bytes));
            buf_free(&bytes);
        }
        stage_step(&s->stage);
    }
}

static void expect_answers(const struct scene *s, const json_t *log)
{
    struct span left = buf_span(&s->probe.answers);
    for (size_t i = after_synchronisation(log); i < json_array_size(log); i++) {
        json_t *wanted = entry_json(json_array_get(log, i), "in");
        if (json_object_get(wanted, "responseId") != NULL) {
            const char *end = memchr(left.ptr, '\n', left.len);
            json_t *got = end != NULL ? json_loadb(left.ptr, (size_t)(end - left.ptr), 0, NULL) : NULL;
            assert_true(json_equal(wanted, got));
            left = span_from(left, (size_t)(end - left.ptr) + 1);
            json_decref(got);
        }
        json_decref(wanted);
    }
    assert_int_equal(left.len, 0);
}

// Numbers in brackets are those of connections.
static void without_numbers(const char *text, struct buf *out)
{
    for (const char *c = text; *c != '\0'; c++) {
        buf_add_char(out, *c);
        if (*c == '[' && isdigit((unsigned char)c[1])) {
            buf_add_char(out, 'N');
            while (isdigit((unsigned char)c[1]))
                c++;
        }
    }
}

static void expect_end(const struct scene *s, const json_t *record, const char *name)
{
    struct buf got = {0};
    struct buf wanted = {0};
    const char *reason = pipe_closed(s->stage.ends[0]);
    const char *recorded = capture_text(json_object_get(record, "close"), "reason");
    const char *expected = recorded != NULL ? recorded : OPEN;
    for (size_t i = 0; i < sizeof DEVIATIONS / sizeof *DEVIATIONS; i++) {
        if (strcmp(DEVIATIONS[i].name, name) == 0)
            expected = DEVIATIONS[i].end;
    }
    without_numbers(reason != NULL ? reason : OPEN, &got);
    without_numbers(expected, &wanted);
    assert_string_equal(buf_cstr(&got), buf_cstr(&wanted));
    buf_free(&got);
    buf_free(&wanted);
}

static void expect_failures(const struct scene *s, const char *name)
{
    const char *codes = "";
    for (size_t i = 0; i < sizeof FAILURES / sizeof *FAILURES; i++) {
        if (strcmp(FAILURES[i].name, name) == 0)
            codes = FAILURES[i].codes;
    }
    struct span got = buf_span(&s->ours->failures);
    if (!span_eq(got, span_of(codes)))
        fail_msg("failed roots: " SPAN_FMT, SPAN_ARG(got));
}

static void try_case(const json_t *records, const json_t *record, const char *name)
{
    struct scene s;
    const json_t *log = json_object_get(record, "log");
    begin_scene(&s, records, log);
    stage_connect(&s.stage, s.ours, &s.stage.sides[1], NULL);
    stage_wait(&s.stage, first_pass_is_over, &s, name);
    send_own_messages(&s, log);
    pipe_sleep(s.stage.world, 100);
    expect_end(&s, record, name);
    expect_failures(&s, name);
    expect_answers(&s, log);
    end_scene(&s);
}

// ---- All cases -----------------------------------------------------------------------------------------------------

static bool is_elsewhere(const char *name)
{
    for (size_t i = 0; i < sizeof ELSEWHERE / sizeof *ELSEWHERE; i++) {
        if (strncmp(name, ELSEWHERE[i].prefix, strlen(ELSEWHERE[i].prefix)) == 0)
            return true;
    }
    return false;
}

static void every_case_ends_as_recorded_or_better(void **state)
{
    size_t i;
    const json_t *record;
    size_t tried = 0;
    json_t *records = capture_load("errors");
    (void)state;
    json_array_foreach(records, i, record)
    {
        const char *name = capture_text(record, "case");
        bool concerns = name != NULL && (strncmp(name, "rpc: ", 5) == 0 || strncmp(name, "import: ", 8) == 0);
        if (!concerns || is_elsewhere(name))
            continue;
        print_message("%s\n", name);
        try_case(records, record, name);
        tried++;
    }
    assert_int_equal(tried, 33);
    json_decref(records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_ends_as_recorded_or_better),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
