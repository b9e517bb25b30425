// The limits are checked before the parser sees the text, by counting its brackets and commas: the tree of a short text
// can be many times as large.
#include "wire/jsontext.h"

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
