// The text is known to be JSON, so the walk only has to tell strings from what is not one.
#include "supervisor/simulate/place.h"

#include <stdlib.h>
#include <string.h>

struct walk {
    const char *at;
    int line;
    const json_t *holder;
    const char *key;
    size_t index;
    struct buf path;
    struct place found;
};

static void skip_blanks(struct walk *w)
{
    for (; *w->at != '\0' && strchr(" \t\r\n", *w->at) != NULL; w->at++)
        w->line += *w->at == '\n';
}

// The end of the string or number or word that begins here.
static const char *token_end(const char *at)
{
    const char *end = at + 1;
    if (*at != '"')
        return at + strcspn(at, ",]} \t\r\n");
    while (*end != '\0' && *end != '"')
        end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    return *end == '"' ? end + 1 : end;
}

static void note(struct walk *w, bool is_it)
{
    if (!is_it || w->found.line != 0)
        return;
    w->found.line = w->line;
    buf_add_span(&w->found.path, buf_span(&w->path));
}

static void walk_value(struct walk *w, const json_t *value);

static void walk_member(struct walk *w, const json_t *object)
{
    const char *end = token_end(w->at);
    json_t *name = json_loadb(w->at, (size_t)(end - w->at), JSON_DECODE_ANY, NULL);
    const char *key = json_string_value(name) != NULL ? json_string_value(name) : "";
    size_t before = w->path.len;
    buf_printf(&w->path, "%s%.60s", before != 0 ? "." : "", key);
    note(w, object == w->holder && w->key != NULL && strcmp(key, w->key) == 0);
    w->at = end;
    skip_blanks(w);
    w->at += *w->at == ':';
    walk_value(w, json_object_get(object, key));
    w->path.len = before;
    json_decref(name);
}

static void walk_element(struct walk *w, const json_t *array, size_t i)
{
    size_t before = w->path.len;
    buf_printf(&w->path, "[%zu]", i);
    skip_blanks(w);
    note(w, array == w->holder && w->key == NULL && i == w->index);
    walk_value(w, json_array_get(array, i));
    w->path.len = before;
}

static void walk_inside(struct walk *w, const json_t *value, char close)
{
    w->at++;
    skip_blanks(w);
    for (size_t i = 0; *w->at != '\0' && *w->at != close; i++) {
        if (close == '}')
            walk_member(w, value);
        else
            walk_element(w, value, i);
        skip_blanks(w);
        w->at += *w->at == ',';
        skip_blanks(w);
    }
    w->at += *w->at == close;
}

static void walk_value(struct walk *w, const json_t *value)
{
    skip_blanks(w);
    if (*w->at == '{')
        walk_inside(w, value, '}');
    else if (*w->at == '[')
        walk_inside(w, value, ']');
    else if (*w->at != '\0')
        w->at = token_end(w->at);
}

struct place place_find(const char *text, const json_t *root, const json_t *holder, const char *key, size_t index)
{
    struct walk w = {.at = text, .line = 1, .holder = holder, .key = key, .index = index};
    walk_value(&w, root);
    buf_free(&w.path);
    return w.found;
}

void place_free(struct place *p)
{
    buf_free(&p->path);
}
