// Refusals and words of closing are the reference's, to the letter. By them message_is_intended tells an end that was
// wanted from a failure.
#include "conn/message.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "wire/jsontext.h"

static const struct jsontext_limits LIMITS = {.bytes = 1 << 20, .depth = 8, .values = 256};

// ---- Reading ----

json_t *message_read(bool text, struct span payload, const char *command, struct error *e)
{
    if (!text) {
        error_set(e, STATUS_INVALID, "BAD-MESSAGE", "Received message that is not a string message.");
        return NULL;
    }
    struct error why;
    json_t *json = jsontext_parse(payload, LIMITS, &why);
    struct span got = message_string(json, "command");
    if (json == NULL)
        error_set(e, STATUS_INVALID, "BAD-MESSAGE", "Received message that does not conform to JSON: SyntaxError: %s",
                  why.message);
    else if (json_is_null(json))
        error_set(e, STATUS_INVALID, "TYPE-ERROR", "Cannot convert undefined or null to object");
    else if (got.ptr == NULL)
        error_set(e, STATUS_INVALID, "BAD-MESSAGE", "Received message without a 'command' member.");
    else if (!span_eq_text(got, command))
        error_set(e, STATUS_INVALID, "BAD-MESSAGE", "Received unexpected type '%.40s'. Expected type '%s'.", got.ptr,
                  command);
    else
        return json;
    json_decref(json);
    return NULL;
}

enum status message_mismatch(const char *command, struct error *e)
{
    return error_set(e, STATUS_INVALID, "BAD-MESSAGE",
                     "Received data does not match the data expected for command '%s'", command);
}

struct span message_string(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    if (!json_is_string(member))
        return (struct span){0};
    return (struct span){json_string_value(member), json_string_length(member)};
}

bool message_is_hex(struct span text)
{
    if (text.len == 0 || text.len % 2 != 0)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!isxdigit((unsigned char)text.ptr[i]))
            return false;
    return true;
}

bool message_key(const json_t *object, const char *name, uint8_t b[32])
{
    return hex_decode(message_string(object, name), b, 32);
}

// ---- Writing ----

void message_add_key(const char *name, const uint8_t b[32], struct buf *out)
{
    char hex[2 * BOX_KEY + 1];
    hex_encode(b, BOX_KEY, hex);
    buf_printf(out, ",\"%s\":\"%s\"", name, hex);
}

void message_add_string(const char *name, struct span value, struct buf *out)
{
    buf_printf(out, ",\"%s\":", name);
    text_add_json(value, out);
}

// ---- Closing ----

bool message_is_intended(struct span reason)
{
    static const char *const intended[] = {
        "",
        "closeConnections called by user.",
        "Corresponding route was stopped",
        "Route is disabled",
        "New connection replaced old one",
        "Duplicate connection - dropped new connection",
        "The node is stopping",
    };
    for (size_t i = 0; i < sizeof intended / sizeof *intended; i++)
        if (span_eq_text(reason, intended[i]))
            return true;
    return false;
}

void message_close_text(const char *opening, const char *text, char out[MESSAGE_CLOSE_TEXT])
{
    if (text == NULL) {
        snprintf(out, MESSAGE_CLOSE_TEXT, "%s.", opening);
        return;
    }
    size_t len = (size_t)snprintf(out, MESSAGE_CLOSE_TEXT, "%s: %s", opening, text);
    if (len < MESSAGE_CLOSE_TEXT)
        return;
    out[utf8_certain((struct span){out, MESSAGE_CLOSE_TEXT - 1}).len] = '\0';
}

static bool is_reference_code(const char *code)
{
    return strncmp(code, "CYENC-", 6) == 0 || strncmp(code, "EP-", 3) == 0;
}

void message_error_text(const struct error *e, char *out, size_t size)
{
    const char *class = strcmp(e->code, "TYPE-ERROR") == 0 ? "TypeError" : "Error";
    bool with_code = is_reference_code(e->code);
    snprintf(out, size, "%s: %s%s%s", class, with_code ? e->code : "", with_code ? ": " : "", e->message);
}
