#include "ipc/invitation.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

enum { TEXT_MAX = 8192, TOKEN_MAX = 512, URL_MAX = 2048 };

static enum status bad(struct error *e, const char *why)
{
    return error_set(e, STATUS_INVALID, "BAD-INVITATION", "this is no invitation: %s", why);
}

// ---- Reading ----

static struct span trim(struct span s)
{
    static const char white[] = " \t\r\n";
    while (s.len != 0 && strchr(white, s.ptr[0]) != NULL && s.ptr[0] != '\0')
        s = span_from(s, 1);
    while (s.len != 0 && strchr(white, s.ptr[s.len - 1]) != NULL && s.ptr[s.len - 1] != '\0')
        s.len--;
    return s;
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

static bool printable(struct span s, size_t max)
{
    if (s.len == 0 || s.len > max)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.ptr[i] <= 0x20 || (uint8_t)s.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool is_websocket_url(struct span url)
{
    return printable(url, URL_MAX) && ((span_starts_with(url, SPAN("ws://")) && url.len > 5) ||
                                       (span_starts_with(url, SPAN("wss://")) && url.len > 6));
}

static struct span text_of(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    return (struct span){json_string_value(member), json_string_length(member)};
}

static enum status read_members(const json_t *object, struct invitation *out, struct error *e)
{
    struct span token = text_of(object, "token");
    struct span url = text_of(object, "url");
    if (!printable(token, TOKEN_MAX))
        return bad(e, "its token is missing or unusable");
    if (!is_websocket_url(url))
        return bad(e, "its url is no ws:// or wss:// address");
    if (!hex_decode(text_of(object, "publicKey"), out->public_key.b, BOX_KEY))
        return bad(e, "its publicKey is not 64 hex digits");
    out->token = mem_text(token);
    out->url = mem_text(url);
    return STATUS_OK;
}

enum status invitation_read(const json_t *object, struct invitation *out, struct error *e)
{
    *out = (struct invitation){0};
    if (json_object_size(object) != 3)
        return bad(e, "it needs exactly token, publicKey and url");
    return read_members(object, out, e);
}

static enum status parse_json(struct span text, struct invitation *out, struct error *e)
{
    if (!utf8_valid(text))
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "the invitation is not valid UTF-8");
    json_t *object = json_loadb(text.len != 0 ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, NULL);
    enum status s = json_is_object(object) ? read_members(object, out, e) : bad(e, "its JSON cannot be read");
    json_decref(object);
    return s;
}

static enum status parse_link(struct span text, struct invitation *out, struct error *e)
{
    static const char device[] = "invites/inviteDevice/?invited=true";
    const char *hash = memchr(text.ptr, '#', text.len);
    if (hash == NULL)
        return bad(e, "it is neither JSON nor a link with a #");
    struct span before = {text.ptr, (size_t)(hash - text.ptr)};
    out->own_device = memmem(before.ptr, before.len, device, sizeof device - 1) != NULL;
    struct buf json = {0};
    enum status s = percent_decode(span_from(text, before.len + 1), &json)
                        ? parse_json(buf_span(&json), out, e)
                        : bad(e, "the part behind the # is not percent-encoded text");
    buf_free(&json);
    return s;
}

enum status invitation_parse(struct span text, struct invitation *out, struct error *e)
{
    *out = (struct invitation){0};
    text = trim(text);
    if (text.len == 0)
        return bad(e, "it is empty");
    if (text.len > TEXT_MAX)
        return bad(e, "it is too long");
    return text.ptr[0] == '{' ? parse_json(text, out, e) : parse_link(text, out, e);
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
