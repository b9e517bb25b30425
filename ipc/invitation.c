// What people paste is tried in many readings (unbend.c); if all fail, the message is that of the one which came
// closest (rank). A token is secret: messages say which character of which member is wrong, never what stands there.
#include "ipc/invitation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/text.h"
#include "ipc/unbend.h"

enum {
    TOKEN_MAX = 512,
    URL_MAX = 2048,
    PIECES = 64, // of a text that may be one
    LEVELS = 8,  // of encodings around it
};

#define REPLACED "\xEF\xBF\xBD"

static enum status __attribute__((format(printf, 2, 3))) bad(struct error *e, const char *format, ...)
{
    char why[200];
    va_list list;
    va_start(list, format);
    vsnprintf(why, sizeof why, format, list);
    va_end(list);
    return error_set(e, STATUS_INVALID, "BAD-INVITATION", "this is no invitation: %s", why);
}

// ---- Reading ----

static struct span text_of(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    return (struct span){json_string_value(member), json_string_length(member)};
}

// Which character of the member cannot be in it, in a message that says so. The member itself is secret.
static enum status check_characters(struct span s, const char *name, struct error *e)
{
    static const char ellipsis[] = "\u2026";
    if (memmem(s.ptr, s.len, ellipsis, sizeof ellipsis - 1) != NULL)
        return bad(e, "its %s was shortened on the way, there is a \u2026 in it", name);
    for (size_t i = 0; i < s.len; i++) {
        if ((uint8_t)s.ptr[i] <= 0x20 || (uint8_t)s.ptr[i] >= 0x7f)
            return bad(e, "character %zu of its %s is a blank, a control, or none of ASCII", i + 1, name);
    }
    return STATUS_OK;
}

static enum status check_text(const json_t *object, const char *name, size_t max, struct span *out, struct error *e)
{
    *out = text_of(object, name);
    if (json_object_get(object, name) == NULL)
        return bad(e, "it has no %s", name);
    if (out->len == 0)
        return bad(e, "its %s is empty, or no text", name);
    if (out->len > max)
        return bad(e, "its %s is longer than %zu characters", name, max);
    return check_characters(*out, name, e);
}

// Schemes are written small from here on.
static enum status read_url(const json_t *object, char **out, struct error *e)
{
    struct span url;
    enum status s = check_text(object, "url", URL_MAX, &url, e);
    if (s != STATUS_OK)
        return s;
    url = unbend_url(url);
    size_t scheme = url.len > 6 && strncasecmp(url.ptr, "wss://", 6) == 0  ? 3
                    : url.len > 5 && strncasecmp(url.ptr, "ws://", 5) == 0 ? 2
                                                                           : 0;
    if (scheme == 0)
        return bad(e, "its url is no ws:// or wss:// address");
    *out = mem_text(url);
    for (size_t i = 0; i < scheme; i++)
        (*out)[i] = (char)((*out)[i] | 0x20);
    return STATUS_OK;
}

static enum status read_key(const json_t *object, struct public_key *out, struct error *e)
{
    struct span key;
    enum status s = check_text(object, "publicKey", URL_MAX, &key, e);
    if (s != STATUS_OK)
        return s;
    if (key.len != 2 * BOX_KEY)
        return bad(e, "its publicKey has %zu characters instead of %d", key.len, 2 * BOX_KEY);
    return hex_decode(key, out->b, BOX_KEY) ? STATUS_OK : bad(e, "its publicKey has characters that are no hex digits");
}

static enum status read_members(const json_t *object, struct invitation *out, struct error *e)
{
    struct span token;
    enum status s = check_text(object, "token", TOKEN_MAX, &token, e);
    if (s == STATUS_OK)
        s = read_key(object, &out->public_key, e);
    if (s == STATUS_OK)
        s = read_url(object, &out->url, e);
    if (s == STATUS_OK)
        out->token = mem_text(token);
    return s;
}

enum status invitation_read(const json_t *object, struct invitation *out, struct error *e)
{
    *out = (struct invitation){0};
    if (json_object_size(object) != 3)
        return bad(e, "it needs exactly token, publicKey and url");
    return read_members(object, out, e);
}

// ---- Searching in what people paste ----

// How far a piece of the text got; what is reported is why the one that got furthest is none.
enum rank { NOTHING, NO_JSON, NO_MEMBERS };

struct search {
    struct invitation *out;
    struct error why;
    enum rank rank;
    unsigned pieces;
    bool no_text; // something was no UTF-8
};

static void note(struct search *s, enum rank rank, const struct error *why)
{
    if (rank <= s->rank)
        return;
    s->rank = rank;
    s->why = *why;
}

static void explain_json(const json_error_t *why, struct error *e)
{
    switch (json_error_code(why)) {
    case json_error_premature_end_of_input:
        bad(e, "its end is missing, only a part was copied");
        break;
    case json_error_duplicate_key:
        bad(e, "it has a member twice");
        break;
    default:
        bad(e, "its JSON is damaged at character %d, or lost its quotes", why->position);
    }
}

// An object that begins the text; what follows it is ignored.
static bool try_object(struct search *s, struct span text, size_t flags)
{
    json_error_t why;
    struct error e;
    json_t *object = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | flags, &why);
    bool read = json_is_object(object) && read_members(object, s->out, &e) == STATUS_OK;
    if (!json_is_object(object)) {
        explain_json(&why, &e);
        note(s, NO_JSON, &e);
    } else if (!read) {
        note(s, NO_MEMBERS, &e);
    }
    json_decref(object);
    return read;
}

static bool is_for_own_device(struct span text)
{
    static const char device[] = "invites/inviteDevice/";
    return memmem(text.ptr, text.len, device, sizeof device - 1) != NULL;
}

static bool try_objects(struct search *s, struct span text)
{
    if (text.len == 0)
        return false;
    s->no_text = s->no_text || memmem(text.ptr, text.len, REPLACED, sizeof REPLACED - 1) != NULL;
    for (const char *brace; s->pieces < PIECES && (brace = memchr(text.ptr, '{', text.len)) != NULL; s->pieces++) {
        struct span rest = span_from(text, (size_t)(brace - text.ptr));
        if (try_object(s, rest, JSON_DISABLE_EOF_CHECK)) {
            s->out->own_device = is_for_own_device(text);
            return true;
        }
        text = span_from(rest, 1);
    }
    return false;
}

static bool try_base64(struct search *s, struct span text)
{
    struct buf decoded = {0};
    size_t cursor = 0;
    bool found = false;
    while (!found && s->pieces < PIECES && unbend_base64(text, &cursor, &decoded)) {
        struct buf object = {0};
        unbend_text(buf_span(&decoded), &object);
        found = try_objects(s, buf_span(&object));
        s->pieces++;
        buf_free(&object);
        buf_clear(&decoded);
    }
    buf_free(&decoded);
    return found;
}

// BASE64: its objects are that. BARE: they have ' for quotes.
enum form { PLAIN, BASE64, BARE, FORMS };

// Looks at the text, then behind each encoding that it may have got.
static bool try_text(struct search *s, struct span text, enum form form)
{
    struct buf b = {0};
    bool found = false;
    s->pieces = 0;
    unbend_text(text, &b);
    for (size_t i = 0; form == BARE && i < b.len; i++)
        b.data[i] = b.data[i] == '\'' ? '"' : b.data[i];
    for (unsigned level = 0; !found && level < LEVELS; level++) {
        found = form == BASE64 ? try_base64(s, buf_span(&b)) : try_objects(s, buf_span(&b));
        if (!found && !unbend_encoding(&b))
            break;
    }
    buf_free(&b);
    return found;
}

static bool percent_decode(struct span s, struct buf *out)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '%') {
            if (s.len - i < 3 || !hex_decode((struct span){s.ptr + i + 1, 2}, &c, 1))
                return false;
            i += 2;
        }
        buf_add_char(out, c);
    }
    return true;
}

// Both forms as they are made, whatever is in them.
static bool try_exactly(struct search *s, struct span text)
{
    if (text.ptr[0] == '{')
        return utf8_valid(text) && try_object(s, text, 0);
    const char *hash = memchr(text.ptr, '#', text.len);
    if (hash == NULL)
        return false;
    struct buf json = {0};
    struct span before = {text.ptr, (size_t)(hash - text.ptr)};
    bool found = percent_decode(span_from(text, before.len + 1), &json) && json.len != 0 &&
                 utf8_valid(buf_span(&json)) && try_object(s, buf_span(&json), 0);
    if (found)
        s->out->own_device = is_for_own_device(before);
    buf_free(&json);
    return found;
}

static struct span trim(struct span s)
{
    static const char white[] = " \t\r\n";
    while (s.len != 0 && strchr(white, s.ptr[0]) != NULL && s.ptr[0] != '\0')
        s = span_from(s, 1);
    while (s.len != 0 && strchr(white, s.ptr[s.len - 1]) != NULL && s.ptr[s.len - 1] != '\0')
        s.len--;
    return s;
}

enum status invitation_parse(struct span text, struct invitation *out, struct error *e)
{
    struct search s = {.out = out};
    *out = (struct invitation){0};
    text = trim(text);
    if (text.len == 0)
        return bad(e, "it is empty");
    if (text.len > INVITATION_TEXT_MAX)
        return bad(e, "it is longer than %d bytes", INVITATION_TEXT_MAX);
    bool found = try_exactly(&s, text);
    for (unsigned form = PLAIN; !found && form < FORMS; form++)
        found = try_text(&s, text, (enum form)form);
    if (found)
        return STATUS_OK;
    if (s.rank != NOTHING && e != NULL)
        *e = s.why;
    if (s.rank != NOTHING)
        return s.why.status;
    if (s.no_text)
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "the invitation is not valid UTF-8");
    return bad(e, "there is neither {\"token\":…} in it nor a link with it behind a #");
}

void invitation_free(struct invitation *i)
{
    free(i->token);
    free(i->url);
    *i = (struct invitation){0};
}

// ---- Writing ----

json_t *invitation_object(const char *token, const struct public_key *key, const char *url)
{
    char hex[2 * BOX_KEY + 1];
    hex_encode(key->b, BOX_KEY, hex);
    return json_pack("{s:s, s:s, s:s}", "token", token, "publicKey", hex, "url", url);
}

void invitation_print(const struct invitation *i, struct buf *out)
{
    json_t *object = invitation_object(i->token, &i->public_key, i->url);
    char *text = json_dumps(object, JSON_COMPACT);
    buf_add_text(out, text);
    free(text);
    json_decref(object);
}

// As JavaScript's encodeURIComponent.
static void percent_encode(struct span s, struct buf *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()";
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '\0' && strchr(plain, s.ptr[i]) != NULL)
            buf_add_char(out, s.ptr[i]);
        else
            buf_printf(out, "%%%02X", (uint8_t)s.ptr[i]);
}

void invitation_link(const struct invitation *i, struct buf *out)
{
    bool live = strstr(i->url, "refinio.one") != NULL && strstr(i->url, "dev.refinio.one") == NULL;
    buf_printf(out, "https://edda.%srefinio.one/invites/%s/?invited=true/#", live ? "" : "dev.",
               i->own_device ? "inviteDevice" : "invitePartner");
    struct buf json = {0};
    invitation_print(i, &json);
    percent_encode(buf_span(&json), out);
    buf_free(&json);
}
