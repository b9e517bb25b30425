#include "conn/invitation.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "conn/message.h"
#include "wire/jsontext.h"

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
    return utf8_valid(buf_span(out));
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

static enum status read_members(const json_t *json, struct invitation *out, struct error *e)
{
    struct span token = message_string(json, "token");
    struct span url = message_string(json, "url");
    if (json_object_size(json) != 3)
        return bad(e, "it needs exactly token, publicKey and url");
    if (!printable(token, TOKEN_MAX))
        return bad(e, "its token is missing or unusable");
    if (!is_websocket_url(url))
        return bad(e, "its url is no ws:// or wss:// address");
    if (!message_key(json, "publicKey", out->public_key.b))
        return bad(e, "its publicKey is not 64 hex digits");
    out->token = mem_text(token);
    out->url = mem_text(url);
    return STATUS_OK;
}

static enum status read_json(struct span text, struct invitation *out, struct error *e)
{
    struct error why;
    json_t *json = jsontext_parse(text, (struct jsontext_limits){.bytes = TEXT_MAX, .depth = 2, .values = 16}, &why);
    if (json == NULL)
        return bad(e, "its JSON cannot be read");
    enum status status = read_members(json, out, e);
    json_decref(json);
    return status;
}

static enum status read_link(struct span text, struct invitation *out, struct error *e)
{
    const char *hash = memchr(text.ptr, '#', text.len);
    if (hash == NULL)
        return bad(e, "it is neither JSON nor a link with a #");
    struct span before = {text.ptr, (size_t)(hash - text.ptr)};
    static const char device[] = "invites/inviteDevice/?invited=true";
    out->own_device = memmem(before.ptr, before.len, device, sizeof device - 1) != NULL;
    struct buf json = {0};
    enum status status = percent_decode(span_from(text, before.len + 1), &json)
                             ? read_json(buf_span(&json), out, e)
                             : bad(e, "the part behind the # is not percent-encoded text");
    buf_free(&json);
    return status;
}

enum status invitation_parse(struct span text, struct invitation *out, struct error *e)
{
    *out = (struct invitation){0};
    if (text.len > TEXT_MAX)
        return bad(e, "it is too long");
    text = trim(text);
    if (text.len == 0)
        return bad(e, "it is empty");
    return text.ptr[0] == '{' ? read_json(text, out, e) : read_link(text, out, e);
}

void invitation_free(struct invitation *i)
{
    free(i->token);
    free(i->url);
    *i = (struct invitation){0};
}

// ---- Writing ----

void invitation_json(const struct invitation *i, struct buf *out)
{
    buf_add_text(out, "{\"token\":");
    jsontext_add_string(span_of(i->token), out);
    message_add_key("publicKey", i->public_key.b, out);
    message_add_string("url", span_of(i->url), out);
    buf_add_char(out, '}');
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
    invitation_json(i, &json);
    percent_encode(buf_span(&json), out);
    buf_free(&json);
}
