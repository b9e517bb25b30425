#include "supervisor/ctl/invitation.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

enum { INVITATION_MAX = 8192, KEY_DIGITS = 64 };

static const char public_base[] = "https://edda.refinio.one";
static const char development_base[] = "https://edda.dev.refinio.one";
static const char path[] = "/invites/invitePartner/?invited=true/#";

static enum status bad(struct error *e, const char *why)
{
    return error_set(e, STATUS_INVALID, "BAD-INVITATION", "this is no invitation: %s", why);
}

static bool percent_decode(struct span s, struct buf *out)
{
    for (size_t i = 0; i < s.len; i++) {
        char byte = s.ptr[i];
        if (byte == '%') {
            if (s.len - i < 3 || !hex_decode((struct span){s.ptr + i + 1, 2}, &byte, 1))
                return false;
            i += 2;
        }
        buf_add_char(out, byte);
    }
    return true;
}

static struct span trim(struct span s)
{
    while (s.len > 0 && isspace((unsigned char)s.ptr[0]))
        s = span_from(s, 1);
    while (s.len > 0 && isspace((unsigned char)s.ptr[s.len - 1]))
        s.len--;
    return s;
}

static bool is_key(const char *text)
{
    return text != NULL && strlen(text) == KEY_DIGITS && strspn(text, "0123456789abcdefABCDEF") == KEY_DIGITS;
}

static enum status take(const json_t *object, json_t **out, struct error *e)
{
    const char *token = json_string_value(json_object_get(object, "token"));
    const char *key = json_string_value(json_object_get(object, "publicKey"));
    const char *url = json_string_value(json_object_get(object, "url"));
    if (!json_is_object(object))
        return bad(e, "neither a JSON object nor a link to one");
    if (token == NULL || token[0] == '\0')
        return bad(e, "'token' is missing");
    if (!is_key(key))
        return bad(e, "'publicKey' is not a key of 64 hex digits");
    if (url == NULL || (strncmp(url, "ws://", 5) != 0 && strncmp(url, "wss://", 6) != 0))
        return bad(e, "'url' is not ws:// or wss://");
    *out = json_pack("{s:s, s:s, s:s}", "token", token, "publicKey", key, "url", url);
    return STATUS_OK;
}

enum status invitation_parse(struct span text, json_t **out, struct error *e)
{
    struct buf decoded = {0};
    json_t *object = NULL;
    enum status s = STATUS_OK;
    text = trim(text);
    if (text.len == 0 || text.len > INVITATION_MAX)
        return bad(e, text.len == 0 ? "it is empty" : "it is too long");
    const char *hash = memchr(text.ptr, '#', text.len);
    if (text.ptr[0] != '{' && hash == NULL)
        s = bad(e, "neither JSON nor a link with '#'");
    else if (text.ptr[0] == '{')
        buf_add_span(&decoded, text);
    else if (!percent_decode(span_from(text, (size_t)(hash - text.ptr) + 1), &decoded))
        s = bad(e, "the link is cut or damaged");
    if (s == STATUS_OK && !utf8_valid(buf_span(&decoded)))
        s = error_set(e, STATUS_INVALID, "BAD-TEXT", "the invitation is not valid UTF-8");
    if (s == STATUS_OK) {
        object = json_loadb(decoded.len > 0 ? decoded.data : "", decoded.len, JSON_REJECT_DUPLICATES, NULL);
        s = take(object, out, e);
    }
    json_decref(object);
    buf_free(&decoded);
    return s;
}

void invitation_print(const json_t *invitation, struct buf *out)
{
    json_t *ordered = json_object();
    static const char *const members[] = {"token", "publicKey", "url"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        json_object_set(ordered, members[i], json_object_get(invitation, members[i]));
    char *text = json_dumps(ordered, JSON_COMPACT);
    buf_add_text(out, text);
    free(text);
    json_decref(ordered);
}

void invitation_link(const json_t *invitation, struct buf *out)
{
    struct buf text = {0};
    const char *url = json_string_value(json_object_get(invitation, "url"));
    bool is_public = strstr(url, "refinio.one") != NULL && strstr(url, "dev.refinio.one") == NULL;
    buf_printf(out, "%s%s", is_public ? public_base : development_base, path);
    invitation_print(invitation, &text);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (isalnum(c) || strchr("-_.!~*'()", c) != NULL)
            buf_add_char(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
    buf_free(&text);
}
