// What chats and topics share. A page of messages comes newest first and is shown oldest first, so a command that asks
// for many collects all pages before it prints one. Texts are printed line by line: only their line ends are theirs,
// everything else that moves a cursor is escaped.
#include "supervisor/ctl/attach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "supervisor/ctl/names.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/units.h"

enum { PAGE_MAX = 1000, INDENT = 21 };

static const char *type_of(const char *name)
{
    static const struct {
        const char *ending;
        const char *type;
    } types[] = {{".txt", "text/plain"},        {".md", "text/markdown"},    {".html", "text/html"},
                 {".json", "application/json"}, {".pdf", "application/pdf"}, {".png", "image/png"},
                 {".jpg", "image/jpeg"},        {".jpeg", "image/jpeg"},     {".gif", "image/gif"},
                 {".webp", "image/webp"},       {".svg", "image/svg+xml"},   {".mp3", "audio/mpeg"},
                 {".mp4", "video/mp4"},         {".webm", "video/webm"},     {".zip", "application/zip"}};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(types[i].ending, dot) == 0)
            return types[i].type;
    return "application/octet-stream";
}

// {hash,type} of a stored file, NULL with e filled.
static json_t *store_file(struct ctl *c, const char *file, struct error *e)
{
    json_t *stored = ctl_upload(c, file, e);
    if (stored == NULL)
        return NULL;
    json_t *item = json_pack("{s:O, s:s}", "hash", json_object_get(stored, "hash"), "type", type_of(file));
    json_decref(stored);
    return item;
}

static enum status add_file(struct ctl *c, json_t *list, const char *file, struct error *e)
{
    const char *slash = strrchr(file, '/');
    json_t *name = json_string(slash != NULL ? slash + 1 : file);
    if (name == NULL)
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "the name of %s is not UTF-8; rename the file first", file);
    json_t *item = store_file(c, file, e);
    if (item == NULL) {
        json_decref(name);
        return e->status;
    }
    json_object_set_new(item, "name", name);
    json_array_append_new(list, item);
    return STATUS_OK;
}

static enum status add_thumbnail(struct ctl *c, json_t *list, const char *file, struct error *e)
{
    json_t *last = json_array_get(list, json_array_size(list) - 1);
    if (last == NULL || json_object_get(last, "thumbnail") != NULL)
        return ctl_usage(e, "--thumbnail belongs to the --attach before it");
    json_t *item = store_file(c, file, e);
    return item != NULL && json_object_set_new(last, "thumbnail", item) == 0 ? STATUS_OK : e->status;
}

json_t *attach_files(struct ctl *c, struct error *e)
{
    json_t *list = json_array();
    enum status s = STATUS_OK;
    for (size_t i = 0; s == STATUS_OK && i < c->given_count; i++) {
        const struct ctl_given *g = &c->given[i];
        if (strcmp(g->option->name, "attach") == 0)
            s = add_file(c, list, g->value, e);
        else if (strcmp(g->option->name, "thumbnail") == 0)
            s = add_thumbnail(c, list, g->value, e);
    }
    if (s == STATUS_OK)
        return list;
    json_decref(list);
    return NULL;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

// Of an own message how far it got, unless it is delivered; of others what does not go without saying.
static void print_state(const json_t *m)
{
    const char *state = text_of(m, "state");
    const char *verification = text_of(m, "verification");
    bool is_posted = strcmp(state, "pending") != 0 && strcmp(state, "failed") != 0;
    if (is_posted && strcmp(verification, "verified") != 0) {
        putchar('(');
        output_state(verification);
        printf(") ");
    }
    if (state[0] == '\0' || strcmp(state, "delivered") == 0)
        return;
    putchar('(');
    output_state(state);
    if (text_of(m, "why")[0] != '\0') {
        printf(": ");
        output_string(json_object_get(m, "why"));
    }
    printf(") ");
}

static void print_sender(const json_t *m, const json_t *names)
{
    const char *sender = text_of(m, "sender");
    const json_t *name = json_object_get(names, sender);
    if (json_is_string(name))
        output_string(name);
    else
        printf("%.12s", sender);
}

// Line by line: only the line ends are those of the text.
static void print_text(const json_t *m)
{
    const json_t *text = json_object_get(m, "text");
    struct span rest = {json_string_value(text), json_string_length(text)};
    for (bool first = true; first || rest.len > 0; first = false) {
        const char *end = rest.len > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;
        size_t n = end != NULL ? (size_t)(end - rest.ptr) : rest.len;
        json_t *line = json_stringn(n > 0 ? rest.ptr : "", n);
        if (!first)
            printf("%*s", INDENT, "");
        output_string(line);
        putchar('\n');
        json_decref(line);
        rest = span_from(rest, end != NULL ? n + 1 : n);
    }
}

enum status message_sent(const struct ctl *c, json_t *result, const struct error *e)
{
    if (result == NULL || c->json)
        return output_result(result, e);
    const char *state = text_of(result, "state");
    const json_t *line = json_object_get(result, "line");
    if (line != NULL)
        printf("line %" JSON_INTEGER_FORMAT ": ", json_integer_value(line));
    output_state(state[0] != '\0' ? state : "sent");
    printf(" %.12s\n", text_of(result, "id"));
    fflush(stdout); // somebody may wait for it before he writes the next line
    json_decref(result);
    return STATUS_OK;
}

void message_print(const json_t *m, const json_t *names)
{
    char time[32];
    struct buf size = {0};
    size_t i;
    json_t *file;
    units_date(json_integer_value(json_object_get(m, "timestamp")), time, sizeof time);
    printf("%s  %.12s  ", time, text_of(m, "id"));
    print_sender(m, names);
    printf("  ");
    print_state(m);
    print_text(m);
    json_array_foreach(json_object_get(m, "attachments"), i, file)
    {
        printf("%*s", INDENT, "");
        output_string(json_object_get(file, "name"));
        units_bytes(&size, json_number_value(json_object_get(file, "size")));
        printf(" (%s, %s)\n", buf_cstr(&size), text_of(file, "hash"));
        buf_clear(&size);
    }
    buf_free(&size);
}

// The newest limit messages, oldest first, put together from as many pages as it takes.
static json_t *collect(struct ctl *c, const char *method, json_t *query, int64_t limit, struct error *e)
{
    json_t *all = json_array();
    for (bool more = true; more;) {
        int64_t left = limit - (int64_t)json_array_size(all);
        json_object_set_new(query, "limit", json_integer(left < PAGE_MAX ? left : PAGE_MAX));
        json_t *page = ctl_call(c, method, json_copy(query), e);
        json_t *items = json_incref(json_object_get(page, "items"));
        json_t *next = json_object_get(page, "next");
        bool some = json_array_size(items) > 0;
        json_array_extend(items, all);
        more = some && json_is_string(next) && (int64_t)json_array_size(items) < limit;
        if (more)
            json_object_set(query, "before", next);
        json_decref(all);
        json_decref(page);
        all = items;
    }
    return all;
}

void messages_seen(struct ctl *c, const char *kind, const char *where, const json_t *messages)
{
    const json_t *last = json_array_get(messages, json_array_size(messages) - 1);
    struct error ignored = {0}; // they stay unread, which they were before
    if (c->json || last == NULL || !output_is_terminal())
        return;
    json_decref(ctl_call(c, "topic.read-up-to",
                         json_pack("{s:s, s:O}", kind, where, "message", json_object_get(last, "id")), &ignored));
}

static void print_all(struct ctl *c, const json_t *all)
{
    size_t i;
    const json_t *message;
    json_t *names = names_load(c);
    if (json_array_size(all) == 0)
        puts("No messages.");
    json_array_foreach(all, i, message) message_print(message, names);
    json_decref(names);
}

enum status messages_print(struct ctl *c, const char *method, const char *kind, const char *where, struct error *e)
{
    int64_t limit;
    json_t *all = NULL;
    json_t *query = json_pack("{s:s}", kind, where);
    ctl_add(c, query, "before", "before");
    if (ctl_number(c, "limit", 50, CTL_LISTED_MAX, &limit, e) == STATUS_OK)
        all = collect(c, method, query, limit, e);
    json_decref(query);
    if (all == NULL)
        return e->status;
    if (c->json) {
        output_json(all);
        return STATUS_OK;
    }
    print_all(c, all);
    messages_seen(c, kind, where, all);
    json_decref(all);
    return STATUS_OK;
}
