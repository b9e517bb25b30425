// topic export, chat export: a conversation as files for people.
//
//   DIR/messages.jsonl      one message a line, oldest first
//   DIR/files/NNNNNN-NAME   what was attached
//
// Everything is written into a folder beside DIR, which takes its name at the end. Pages come newest first: they are
// put into one file, and copied from it in the other order, so that a long conversation is never in memory as a whole.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "io/folder.h"
#include "supervisor/ctl/attach.h"
#include "supervisor/ctl/blob.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/names.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/progress.h"

enum { PAGE = 500, NAME_MAX_BYTES = 160, COPY = 64 << 10 };

struct export
{
    struct ctl *c;
    char *dir;     // being written
    json_t *names; // of persons
    FILE *pages;   // newest page first
    long *starts;  // of the pages in it
    size_t count;  // pages
    size_t messages;
    size_t files;
    size_t missing; // files that are not here
    struct progress *progress;
};

static char *path_in(const struct export *x, const char *name)
{
    struct buf b = {0};
    buf_printf(&b, "%s/%s", x->dir, name);
    buf_cstr(&b);
    return b.data;
}

// ---- Files ----------------------------------------------------------------------------------------------------------

static bool is_safe(unsigned char c)
{
    return c >= 0x20 && c != 0x7f && strchr("/\\<>:\"|?*", c) == NULL;
}

// Of whatever somebody called it something that is a name everywhere, whole characters only, which shows what it is. No
// dot begins it, and the number in front makes it the only one of its kind.
static void make_name(const json_t *given, size_t number, struct buf *out)
{
    struct buf shown = {0};
    text_escape_controls((struct span){json_string_value(given), json_string_length(given)}, &shown);
    struct span name = buf_span(&shown);
    buf_printf(out, "files/%06zu-", number);
    size_t begin = out->len;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        bool starts = (c & 0xC0) != 0x80;
        if (starts && out->len - begin >= NAME_MAX_BYTES)
            break;
        buf_add_char(out, c >= 0x80 || is_safe(c) ? (char)c : '_');
    }
    if (out->len == begin)
        buf_add_text(out, "file");
    buf_free(&shown);
    buf_cstr(out);
}

static enum status save_file(struct export *x, json_t *attachment, struct error *e)
{
    int64_t size;
    struct buf name = {0};
    struct error why = {0};
    const char *hash = json_string_value(json_object_get(attachment, "hash"));
    make_name(json_object_get(attachment, "name"), x->files + 1, &name);
    char *path = path_in(x, buf_cstr(&name));
    enum status s = blob_download(x->c, hash != NULL ? hash : "", path, &size, &why);
    json_object_del(attachment, "present");
    json_object_del(attachment, "thumbnail");
    if (s == STATUS_OK) {
        x->files++;
        json_object_set_new(attachment, "file", json_string(buf_cstr(&name)));
    } else {
        x->missing++;
        json_object_set_new(attachment, "file", json_null());
    }
    free(path);
    buf_free(&name);
    bool passes = s == STATUS_OK || strcmp(why.code, "NOT-FOUND") == 0;
    if (!passes && e != NULL)
        *e = why;
    return passes ? STATUS_OK : s;
}

// ---- Messages -------------------------------------------------------------------------------------------------------

static json_t *time_text(const json_t *ms)
{
    char text[40] = "";
    struct tm tm;
    time_t t = (time_t)(json_integer_value(ms) / 1000);
    if (gmtime_r(&t, &tm) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return json_string(text);
}

// JSON that also looks like what it says.
static enum status write_line(struct export *x, const json_t *line, struct error *e)
{
    struct buf shown = {0};
    char *text = json_dumps(line, JSON_COMPACT);
    if (text != NULL)
        text_escape_in_json(span_of(text), &shown);
    buf_add_char(&shown, '\n');
    bool good = text != NULL && fwrite(shown.data, 1, shown.len, x->pages) == shown.len;
    free(text);
    buf_free(&shown);
    return good ? STATUS_OK : error_errno(e, "cannot write the messages");
}

static enum status write_message(struct export *x, json_t *m, struct error *e)
{
    size_t i;
    json_t *attachment;
    enum status s = STATUS_OK;
    const char *sender = json_string_value(json_object_get(m, "sender"));
    json_t *name = sender != NULL ? json_object_get(x->names, sender) : NULL;
    json_t *line = json_pack("{s:o, s:o}", "time", time_text(json_object_get(m, "timestamp")), "name",
                             json_is_string(name) ? json_incref(name) : json_null());
    json_array_foreach(json_object_get(m, "attachments"), i, attachment)
    {
        if (s == STATUS_OK)
            s = save_file(x, attachment, e);
    }
    json_object_update(line, m);
    if (s == STATUS_OK)
        s = write_line(x, line, e);
    json_decref(line);
    x->messages += s == STATUS_OK;
    return s;
}

static enum status write_page(struct export *x, const json_t *items, struct error *e)
{
    size_t i;
    json_t *m;
    enum status s = STATUS_OK;
    x->starts = mem_resize(x->starts, (x->count + 2) * sizeof *x->starts);
    x->starts[x->count++] = ftell(x->pages);
    json_array_foreach(items, i, m)
    {
        if (s == STATUS_OK)
            s = write_message(x, m, e);
    }
    x->starts[x->count] = ftell(x->pages);
    progress_at(x->progress, x->messages, 0);
    return s;
}

static enum status write_pages(struct export *x, const char *method, json_t *query, struct error *e)
{
    enum status s = STATUS_OK;
    json_object_set_new(query, "limit", json_integer(PAGE));
    for (bool more = true; s == STATUS_OK && more;) {
        json_t *page = ctl_call(x->c, method, json_deep_copy(query), e);
        json_t *next = json_object_get(page, "next");
        more = json_is_string(next);
        s = page != NULL ? write_page(x, json_object_get(page, "items"), e) : e->status;
        if (more)
            json_object_set(query, "before", next);
        json_decref(page);
    }
    return s;
}

static enum status copy_range(FILE *from, long begin, long end, FILE *to)
{
    char *piece = mem_alloc(COPY);
    bool good = fseek(from, begin, SEEK_SET) == 0;
    for (long left = end - begin; good && left > 0;) {
        size_t n = fread(piece, 1, left < COPY ? (size_t)left : COPY, from);
        good = n > 0 && fwrite(piece, 1, n, to) == n;
        left -= (long)n;
    }
    free(piece);
    return good ? STATUS_OK : STATUS_IO;
}

static enum status turn_round(struct export *x, struct error *e)
{
    char *path = path_in(x, "messages.jsonl");
    FILE *f = fopen(path, "wxe");
    enum status s = f != NULL && fflush(x->pages) == 0 ? STATUS_OK : STATUS_IO;
    for (size_t i = x->count; s == STATUS_OK && i-- > 0;)
        s = copy_range(x->pages, x->starts[i], x->starts[i + 1], f);
    if (s == STATUS_OK && (fflush(f) != 0 || fsync(fileno(f)) != 0))
        s = STATUS_IO;
    if (s != STATUS_OK)
        s = error_errno(e, "cannot write %s", path);
    if (f != NULL)
        fclose(f);
    free(path);
    return s;
}

// ---- The whole ------------------------------------------------------------------------------------------------------

static enum status begin(struct export *x, const char *dir, struct error *e)
{
    struct buf b = {0};
    struct stat there;
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    if (lstat(dir, &there) == 0)
        return error_set(e, STATUS_EXISTS, "EXISTS", "%s exists already", dir);
    buf_printf(&b, "%.*s.part-XXXXXX", (int)len, dir);
    buf_cstr(&b);
    x->dir = b.data;
    if (mkdtemp(x->dir) == NULL) {
        enum status s = error_errno(e, "cannot make a folder beside %s", dir);
        free(x->dir);
        x->dir = NULL;
        return s;
    }
    char *files = path_in(x, "files");
    x->pages = tmpfile();
    enum status s = mkdir(files, 0700) == 0 && x->pages != NULL ? STATUS_OK : error_errno(e, "cannot write to %s", dir);
    free(files);
    return s;
}

static enum status publish(struct export *x, const char *dir, struct error *e)
{
    char *files = path_in(x, "files");
    enum status s = folder_sync(files, e);
    free(files);
    if (s == STATUS_OK)
        s = folder_sync(x->dir, e);
    if (s == STATUS_OK && rename(x->dir, dir) != 0)
        s = error_errno(e, "cannot name the folder %s", dir);
    return s;
}

static enum status say(struct export *x, const char *dir)
{
    if (x->c->json) {
        output_json(json_pack("{s:s, s:I, s:I, s:I}", "path", dir, "messages", (json_int_t)x->messages, "files",
                              (json_int_t)x->files, "missing", (json_int_t)x->missing));
        return STATUS_OK;
    }
    printf("%zu messages and %zu files are in ", x->messages, x->files);
    output_text(dir);
    printf("%s\n", x->missing != 0 ? "; files whose bytes are not here were left out." : ".");
    return STATUS_OK;
}

// query is taken over.
static enum status run(struct ctl *c, const char *method, json_t *query, const char *dir, struct error *e)
{
    struct export x = {.c = c};
    enum status s = begin(&x, dir, e);
    if (s == STATUS_OK) {
        x.names = names_load(c);
        x.progress = progress_counting(c, "exporting", "messages");
        s = write_pages(&x, method, query, e);
        progress_end(x.progress);
    }
    if (s == STATUS_OK)
        s = turn_round(&x, e);
    if (x.pages != NULL)
        fclose(x.pages);
    if (s == STATUS_OK)
        s = publish(&x, dir, e);
    if (s != STATUS_OK && x.dir != NULL)
        (void)folder_remove_tree(x.dir, NULL);
    if (s == STATUS_OK)
        s = say(&x, dir);
    json_decref(query);
    json_decref(x.names);
    free(x.starts);
    free(x.dir);
    return s;
}

enum status run_topic_export(struct ctl *c, struct error *e)
{
    return run(c, "topic.read", json_pack("{s:s}", "topic", c->arguments[0]), c->arguments[1], e);
}

enum status run_chat_export(struct ctl *c, struct error *e)
{
    if (!ctl_has(c, "with"))
        return ctl_usage(e, "chat export wants --with PERSON");
    return run(c, "chat.list", json_pack("{s:s}", "with", ctl_value(c, "with")), c->arguments[0], e);
}
