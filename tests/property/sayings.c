#include "sayings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "base/hash.h"
#include "conn/pairing.h"
#include "crypto/sha256.h"
#include "property.h"

enum { HASHES = 64, TOKENS = 8, TEXT_MAX = 2000 };

struct thing { // what actors offer
    char hash[65];
    char text[1200];
};

static struct {
    char hashes[HASHES][65];
    size_t hash_count;
    char tokens[TOKENS][65];
    size_t token_count;
    struct thing name, blob, person, profile_id, profile, node;
    char roots[600], children[900];
} known;

static const char *one_of(const char *const *words, uint32_t count)
{
    return words[property_below(count)];
}

// ---- Hashes and tokens ---------------------------------------------------------------------------------------------

void sayings_learn(struct span text)
{
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        digits = strchr("0123456789abcdef", text.ptr[i]) != NULL && text.ptr[i] != '\0' ? digits + 1 : 0;
        if (digits != 64)
            continue;
        char *place = known.hashes[known.hash_count++ % HASHES];
        memcpy(place, text.ptr + i + 1 - 64, 64);
        place[64] = '\0';
        digits = 0;
    }
}

static const char *some_hash(void)
{
    static const char *const others[] = {"", "0", "zz",
                                         "0000000000000000000000000000000000000000000000000000000000000000", "ABCDEF"};
    size_t count = known.hash_count < HASHES ? known.hash_count : HASHES;
    if (count == 0 || property_chance(6))
        return one_of(others, 5);
    return known.hashes[property_below((uint32_t)count)];
}

void sayings_add_token(const char *token)
{
    snprintf(known.tokens[known.token_count++ % TOKENS], 65, "%s", token);
}

static const char *some_token(bool *right)
{
    size_t count = known.token_count < TOKENS ? known.token_count : TOKENS;
    *right = count != 0 && !property_chance(4);
    return *right ? known.tokens[property_below((uint32_t)count)] : "no such token";
}

// ---- What is offered (DATA-MODEL.md 2) -----------------------------------------------------------------------------

static void make_thing(struct thing *t)
{
    struct hash h = sha256(span_of(t->text));
    snprintf(t->hash, sizeof t->hash, "%s", hash_text(&h).s);
}

#define THING(to, ...) (snprintf((to).text, sizeof(to).text, __VA_ARGS__), make_thing(&(to)))

void sayings_begin(void)
{
    char ids[400];
    memset(&known, 0, sizeof known);
    THING(known.person,
          "<div data-id-object=\"true\" itemscope itemtype=\"//refin.io/Person\"><span itemprop=\"email\">"
          "friend@test</span></div>");
    THING(known.name, "<div itemscope itemtype=\"//refin.io/PersonName\"><span itemprop=\"name\">F</span></div>");
    THING(known.blob, "a file");
    snprintf(ids, sizeof ids,
             "<span itemprop=\"profileId\">default</span><a itemprop=\"personId\" data-type=\"id\">%s</a>"
             "<a itemprop=\"owner\" data-type=\"id\">%s</a>",
             known.person.hash, known.person.hash);
    THING(known.profile_id, "<div data-id-object=\"true\" itemscope itemtype=\"//refin.io/Profile\">%s</div>", ids);
    THING(known.profile,
          "<div itemscope itemtype=\"//refin.io/Profile\">%s<ul itemprop=\"communicationEndpoint\"></ul>"
          "<ul itemprop=\"personDescription\"><li><a data-type=\"obj\">%s</a></li></ul></div>",
          ids, known.name.hash);
    THING(known.node,
          "<div itemscope itemtype=\"//refin.io/VersionNodeEdge\"><a itemprop=\"data\" data-type=\"obj\">%s</a>"
          "<span itemprop=\"depth\">0</span><span itemprop=\"creationTime\">1700000000000</span></div>",
          known.profile.hash);
    snprintf(
        known.roots, sizeof known.roots,
        "[{\\\"type\\\":\\\"version_node\\\",\\\"node\\\":\\\"%s\\\",\\\"dataIdHash\\\":\\\"%s\\\",\\\"dataType\\\":"
        "\\\"Profile\\\"},{\\\"type\\\":\\\"unversioned\\\",\\\"hash\\\":\\\"%s\\\",\\\"oneType\\\":\\\"PersonName\\\"}"
        "]",
        known.node.hash, known.profile_id.hash, known.name.hash);
    snprintf(known.children, sizeof known.children,
             "[{\\\"type\\\":\\\"object\\\",\\\"hash\\\":\\\"%s\\\"},{\\\"type\\\":\\\"id\\\",\\\"hash\\\":\\\"%s\\\"},"
             "{\\\"type\\\":\\\"object\\\",\\\"hash\\\":\\\"%s\\\"},{\\\"type\\\":\\\"id\\\",\\\"hash\\\":\\\"%s\\\"},"
             "{\\\"type\\\":\\\"blob\\\",\\\"hash\\\":\\\"%s\\\"}]",
             known.profile.hash, known.profile_id.hash, known.name.hash, known.person.hash, known.blob.hash);
}

void sayings_end(void)
{
    memset(&known, 0, sizeof known);
}

static const struct thing *thing_of(const char *hash)
{
    const struct thing *const all[] = {&known.name,       &known.blob,    &known.person,
                                       &known.profile_id, &known.profile, &known.node};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i]->hash, hash) == 0)
            return all[i];
    return NULL;
}

// ---- Pairing -------------------------------------------------------------------------------------------------------

static void say(struct talk *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct talk *t, const char *format, ...)
{
    struct buf b = {0};
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_add_text(&b, text);
    talk_text(t, buf_span(&b));
    buf_free(&b);
}

static void say_token(struct talk *t)
{
    bool right;
    const char *token = some_token(&right);
    t->token_shown = t->token_shown || right;
    say(t, "{\"command\":\"authentication_token\",\"token\":\"%s\"}", token);
}

// The model: an identity after a token that is right may make the actor a contact.
static void say_identity(struct talk *t)
{
    struct actor *a = t->actor;
    struct buf message = {0};
    struct pairing_identity i = pairing_identity_of(&a->identity, property_chance(2) ? a->url : NULL);
    char other[] = "somebody@test";
    if (property_chance(10))
        i.email = other;
    else if (property_chance(10))
        i.person_public = actors[1].identity.person_public;
    t->identity_shown = true;
    a->known = a->known || (a->believed && (t->token_shown || t->node_dialled));
    pairing_identity_write(&i, &message);
    talk_text(t, buf_span(&message));
    buf_free(&message);
}

static void say_pairing(struct talk *t)
{
    if (!t->node_dialled && !t->token_shown && !property_chance(6)) {
        say_token(t);
        return;
    }
    switch (property_below(8)) {
    case 0:
        say_token(t);
        return;
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
        say_identity(t);
        return;
    case 6:
        say(t, "{\"command\":\"authentication_token\",\"token\":7}");
        return;
    default:
        say(t, "{\"command\":\"identity\",\"obj\":{\"type\":\"public\",\"personEmail\":\"%s\"}}",
            t->actor->identity.email);
        return;
    }
}

// ---- Debug ---------------------------------------------------------------------------------------------------------

static void say_debug(struct talk *t)
{
    static const char *const protocols[] = {"getAccessibleObjects", "getData", "getAll", "\\u0000"};
    static const char *const kinds[] = {"object", "id", "blob", "clob", "x"};
    bool begins = t->debug_questions++ == 0;
    if (property_chance(6))
        begins = !begins;
    if (begins)
        say(t, "{\"type\":\"start_protocol\",\"protocol\":\"%s\",\"version\":\"%s\"}",
            one_of(protocols, property_chance(6) ? 4 : 2), property_chance(10) ? "2.0" : "1.0");
    else
        say(t, "{\"type\":\"request_data\",\"hashType\":\"%s\",\"hash\":\"%s\"}", one_of(kinds, 5), some_hash());
}

// ---- CHUM ----------------------------------------------------------------------------------------------------------

static void say_request(struct talk *t)
{
    static const char *const encodings[] = {"\"$__undefined$\"", "\"utf8\"", "\"base64\"", "null", "7"};
    uint32_t id = property_below(TALK_IDS);
    uint32_t service = property_chance(3) ? 2 : 1 + property_below(11);
    t->requests[id]++;
    if (property_chance(10))
        say(t, "{\"requestId\":%u,\"type\":\"request\",\"serviceId\":%u,\"args\":7}", id, service);
    else if (service == 2 && property_chance(3))
        say(t, "{\"requestId\":%u,\"type\":\"request\",\"serviceId\":2,\"args\":[\"unchanged\"]}", id);
    else
        say(t, "{\"requestId\":%u,\"type\":\"request\",\"serviceId\":%u,\"args\":[\"%s\",%s]}", id, service,
            some_hash(), one_of(encodings, 5));
}

static void say_chunk(struct talk *t, int64_t id, struct span bytes)
{
    double number = (double)id;
    struct buf b = {0};
    buf_add(&b, &number, sizeof number);
    buf_add_span(&b, bytes);
    talk_binary(t, buf_span(&b));
    buf_free(&b);
}

static void say_stream(struct talk *t, const struct wanted *a, const struct thing *thing)
{
    struct span bytes = thing != NULL ? span_of(thing->text) : SPAN("something else");
    if (property_chance(3))
        say(t, "{\"responseId\":%lld,\"type\":\"stream\",\"chunk\":\"%s\",\"encoding\":\"utf8\"}", (long long)a->id,
            bytes.len < 200 && memchr(bytes.ptr, '"', bytes.len) == NULL ? bytes.ptr : "x");
    else
        say_chunk(t, a->id, bytes);
    if (property_chance(5))
        return; // the end is still to come, or never
    say(t, "{\"responseId\":%lld,\"type\":\"%s\"}", (long long)a->id,
        property_chance(8) ? "stream-error" : "stream-end");
}

static void say_text_answer(struct talk *t, const struct wanted *a, const struct thing *thing)
{
    struct buf b = {0};
    const char *text = thing != NULL ? thing->text : "nothing";
    buf_printf(&b, "{\"responseId\":%lld,\"type\":\"data\",\"data\":\"", (long long)a->id);
    for (const char *c = text; *c != '\0'; c++)
        buf_printf(&b, *c == '"' ? "\\%c" : "%c", *c);
    buf_add_text(&b, "\"}");
    talk_text(t, buf_span(&b));
    buf_free(&b);
}

static void say_right_answer(struct talk *t, const struct wanted *a)
{
    long long id = a->id;
    switch (a->service) {
    case 1:
        say(t, "{\"responseId\":%lld,\"type\":\"data\",\"data\":8}", id);
        return;
    case 2:
        say(t, "{\"responseId\":%lld,\"type\":\"data\",\"data\":\"%s\"}", id, known.roots);
        return;
    case 4:
    case 5:
        say(t, "{\"responseId\":%lld,\"type\":\"data\",\"data\":\"%s\"}", id,
            strcmp(a->hash, known.node.hash) == 0 ? known.children : "[]");
        return;
    case 8:
        say_stream(t, a, thing_of(a->hash));
        return;
    default:
        say_text_answer(t, a, thing_of(a->hash));
        return;
    }
}

static void say_wrong_answer(struct talk *t, const struct wanted *a)
{
    static const char *const answers[] = {
        "\"type\":\"data\",\"data\":7",
        "\"type\":\"data\",\"data\":\"[{\\\"type\\\":\\\"blob\\\",\\\"hash\\\":\\\"x\\\"}]\"",
        "\"type\":\"data\",\"data\":\"unchanged\"",
        "\"type\":\"error\",\"error\":{\"name\":\"Error\",\"message\":\"no\",\"code\":\"UNKNOWN-SERVICE\"}",
        "\"type\":\"error\",\"error\":{\"name\":\"FileNotFoundError\",\"message\":\"no\",\"code\":\"SB-READ2\"}",
        "\"type\":\"stream\",\"chunk\":\"??\",\"encoding\":\"base64\"",
        "\"type\":\"stream-end\"",
        "\"type\":\"stream-error\",\"error\":\"no\"",
        "\"type\":\"data\"",
    };
    say(t, "{\"responseId\":%lld,%s}", (long long)a->id + (property_chance(8) ? 1 : 0), one_of(answers, 9));
}

// To one of the latest requests of the node; it may have been answered already.
static void say_answer(struct talk *t)
{
    unsigned count = t->pending_count < TALK_PENDING ? t->pending_count : TALK_PENDING;
    struct wanted nothing = {.id = (int64_t)property_below(20), .service = (int)property_below(11)};
    const struct wanted *a = count != 0 ? &t->pending[property_below(count)] : &nothing;
    if (property_chance(5))
        say_wrong_answer(t, a);
    else
        say_right_answer(t, a);
}

static void say_chum(struct talk *t)
{
    if (!t->synchronised) {
        t->synchronised = true;
        say(t, "synchronisation");
    }
    switch (property_below(8)) {
    case 0:
    case 1:
    case 2:
        say_request(t);
        return;
    case 3:
        say(t, "{\"requestId\":%u,\"type\":\"write-stream-error\"}", property_below(TALK_IDS));
        return;
    default:
        say_answer(t);
        return;
    }
}

// ---- Anything ------------------------------------------------------------------------------------------------------

static void say_nonsense(struct talk *t)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "null",
                                        "[]",
                                        "{\"type\":\"request\"}",
                                        "{\"requestId\":1e300,\"type\":\"request\",\"serviceId\":2}",
                                        "keepalive",
                                        "keepalivex",
                                        "fragmentation_end",
                                        "fragmentation_start_stringx",
                                        "{\"command\":\"sync\"}"};
    if (property_chance(3))
        talk_binary(t, (struct span){"\0\0\0\0\0\0\360\77binary", property_below(14)});
    else
        say(t, "%s", one_of(texts, 11));
}

static void say_fitting(struct talk *t)
{
    if (t->group == CONN_PAIRING)
        say_pairing(t);
    else if (t->group == CONN_DEBUG)
        say_debug(t);
    else
        say_chum(t);
}

void say_something(struct talk *t)
{
    static void (*const all[])(struct talk *) = {say_pairing, say_debug, say_chum};
    if (property_chance(12))
        say_nonsense(t);
    else if (property_chance(20))
        all[property_below(3)](t);
    else
        say_fitting(t);
}
