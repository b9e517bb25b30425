#include "wire/jsontext.h"

// ---- Reading ----

// The end of the string whose opening quote is at i: the index of its closing quote, or the text's length.
static size_t skip_string(struct span text, size_t i)
{
    for (i++; i < text.len && text.ptr[i] != '"'; i++)
        if (text.ptr[i] == '\\')
            i++;
    return i;
}

// Counts without understanding: every value needs a comma or a bracket, so this bounds what the parser will build.
static bool within(struct span text, struct jsontext_limits limits)
{
    size_t depth = 0, values = 1;
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '"':
            i = skip_string(text, i);
            break;
        case '[':
        case '{':
            depth++;
            values++;
            break;
        case ']':
        case '}':
            if (depth != 0)
                depth--;
            break;
        case ',':
            values++;
            break;
        default:
            break;
        }
        if (depth > limits.depth || values > limits.values)
            return false;
    }
    return true;
}

json_t *jsontext_parse(struct span text, struct jsontext_limits limits, struct error *e)
{
    if (text.len > limits.bytes || !within(text, limits)) {
        error_set(e, STATUS_TOO_BIG, "JSON-TOO-BIG", "the JSON text is too long, too deep or has too many values");
        return NULL;
    }
    json_error_t why;
    json_t *json = json_loadb(text.len != 0 ? text.ptr : "", text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (json == NULL)
        error_set(e, STATUS_INVALID, "BAD-JSON", "%s", why.text);
    return json;
}

// ---- Writing ----

static const char *short_escape(uint8_t c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        return NULL;
    }
}

static bool is_surrogate(struct span s, size_t i)
{
    return i + 2 < s.len && (uint8_t)s.ptr[i] == 0xed && (uint8_t)s.ptr[i + 1] >= 0xa0;
}

static void add_surrogate(const char *p, struct buf *out)
{
    unsigned unit = 0xd000u | ((unsigned)p[1] & 0x3f) << 6 | ((unsigned)p[2] & 0x3f);
    buf_printf(out, "\\u%04x", unit);
}

void jsontext_add_escaped(struct span s, struct buf *out)
{
    size_t plain = 0; // start of what needs no escape
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.ptr[i];
        bool surrogate = is_surrogate(s, i);
        if (c >= 0x20 && c != '"' && c != '\\' && !surrogate)
            continue;
        buf_add(out, s.ptr + plain, i - plain);
        if (surrogate)
            add_surrogate(s.ptr + i, out);
        else if (short_escape(c) != NULL)
            buf_add_text(out, short_escape(c));
        else
            buf_printf(out, "\\u%04x", c);
        i += surrogate ? 2 : 0;
        plain = i + 1;
    }
    buf_add(out, s.ptr + plain, s.len - plain);
}

void jsontext_add_string(struct span s, struct buf *out)
{
    buf_add_char(out, '"');
    jsontext_add_escaped(s, out);
    buf_add_char(out, '"');
}
