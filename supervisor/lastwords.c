// What a node says goes through here on the way to its log. Only a whole line of plain ASCII counts, because it is
// shown on terminals.
#include "supervisor/lastwords.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

// It is shown on terminals.
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
            return false;
    return true;
}

static void take_line(struct last_words *w)
{
    json_t *line = json_loadb(w->line, w->len, 0, NULL);
    const char *event = json_string_value(json_object_get(line, "event"));
    const char *message = json_string_value(json_object_get(line, "message"));
    if (event != NULL && message != NULL && strcmp(event, "node.failed") == 0 && is_plain(message))
        snprintf(w->why, sizeof w->why, "%s", message);
    json_decref(line);
}

void last_words_take(struct last_words *w, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] == '\n') {
            if (w->len < sizeof w->line)
                take_line(w);
            w->len = 0;
        } else if (w->len < sizeof w->line - 1) {
            w->line[w->len++] = bytes.ptr[i];
        } else {
            w->len = sizeof w->line;
        }
    }
}
