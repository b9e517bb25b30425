// What is no UTF-8 is repaired, as a line has to be JSON; everything else is for the reader to judge.
#include "supervisor/discovery/said.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "supervisor/discovery/found.h"

static json_t *text_of(struct span bytes)
{
    struct buf whole = {0};
    utf8_repair(bytes, &whole);
    json_t *text = json_stringn(buf_cstr(&whole), whole.len);
    buf_free(&whole);
    return text;
}

// line: taken over.
static void say(json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);
    if (text != NULL && strlen(text) < FOUND_LINE_MAX) {
        puts(text);
        fflush(stdout);
    }
    free(text);
    json_decref(line);
}

void said_state(const char *state)
{
    say(json_pack("{s:s}", "state", state));
}

void said_announced(const char *name)
{
    say(json_pack("{s:s, s:o}", "state", "announced", "name", text_of(span_of(name))));
}

void said_away(const char *why)
{
    say(json_pack("{s:s, s:o}", "state", "away", "why", text_of(span_of(why))));
}

void said_unannounced(const char *why)
{
    say(json_pack("{s:s, s:o}", "state", "unannounced", "why", text_of(span_of(why))));
}

void said_settled(bool settled)
{
    say(json_pack("{s:b}", "settled", (int)settled));
}

static json_t *key_of(const struct said_service *s)
{
    return json_pack("{s:o, s:i, s:b}", "name", text_of(span_of(s->name)), "interface", s->interface, "ipv6",
                     (int)s->ipv6);
}

void said_gone(const struct said_service *s)
{
    say(json_pack("{s:o}", "gone", key_of(s)));
}

static bool is_text(struct span entry)
{
    return entry.len <= FOUND_TXT_BYTES && memchr(entry.ptr, '\0', entry.len) == NULL;
}

void said_found(const struct said_service *s, const struct span *entries, size_t count)
{
    json_t *txt = json_array();
    json_t *service = key_of(s);
    for (size_t i = 0; i < count && json_array_size(txt) < FOUND_TXT_MAX; i++)
        if (is_text(entries[i]))
            json_array_append_new(txt, text_of(entries[i]));
    json_object_set_new(service, "host", text_of(span_of(s->host)));
    json_object_set_new(service, "address", text_of(span_of(s->address)));
    json_object_set_new(service, "port", json_integer(s->port));
    json_object_set_new(service, "txt", txt);
    say(json_pack("{s:o}", "found", service));
}
