// What a node says goes through here on the way to its log. Only a whole line of plain ASCII counts, because it is
// shown on terminals.
#include "supervisor/lastwords.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char FAILED[] = "node.failed";

// It is shown on terminals.
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
            return false;
    return true;
}

// Few are: each line of a log that is busy would be parsed for nothing.
static bool may_say_why(const struct last_words *w)
{
    return memmem(w->line, w->len, FAILED, strlen(FAILED)) != NULL;
}

static void take_line(struct last_words *w)
{
    if (!may_say_why(w))
        return;
    json_t *line = json_loadb(w->line, w->len, 0, NULL);
    const char *event = json_string_value(json_object_get(line, "event"));
    const char *message = json_string_value(json_object_get(line, "message"));
    if (event != NULL && message != NULL && strcmp(event, FAILED) == 0 && is_plain(message))
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
