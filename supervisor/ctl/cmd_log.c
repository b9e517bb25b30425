// log: the lines of supervisor.log, archive.log and sparse.log in the order of their times. Works without a supervisor.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/bytes.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/units.h"

enum { LOGS = 3, LINES_DEFAULT = 100, LOOK_MS = 200 };

static const char *const names[LOGS] = {"supervisor", "archive", "sparse"};

struct line {
    long long time;
    size_t order;
    char *text;
};

struct lines {
    struct line *items;
    size_t count;
};

struct source {
    char *path;
    FILE *file;
    ino_t inode;
};

static bool is_wanted(const struct ctl *c, const char *text)
{
    const char *pattern = ctl_value(c, "grep");
    return pattern == NULL || strstr(text, pattern) != NULL;
}

static long long time_of(const char *text)
{
    const char *at = strstr(text, "\"time\":");
    return at != NULL ? strtoll(at + 7, NULL, 10) : 0;
}

static void keep_line(struct lines *l, const char *text)
{
    l->items = mem_resize(l->items, (l->count + 1) * sizeof *l->items);
    l->items[l->count] = (struct line){time_of(text), l->count, mem_text(span_of(text))};
    l->count++;
}

// A whole new line, or a fragment that is put back until the rest is written.
static void read_new(const struct ctl *c, struct source *s, struct lines *l)
{
    char *text = NULL;
    size_t room = 0;
    for (ssize_t n; s->file != NULL && (n = getline(&text, &room, s->file)) > 0;) {
        if (text[n - 1] != '\n') {
            fseeko(s->file, -n, SEEK_CUR);
            break;
        }
        text[n - 1] = '\0';
        if (is_wanted(c, text))
            keep_line(l, text);
    }
    if (s->file != NULL)
        clearerr(s->file);
    free(text);
}

static void open_source(struct source *s)
{
    struct stat st;
    if (stat(s->path, &st) != 0 || (s->file != NULL && st.st_ino == s->inode))
        return;
    if (s->file != NULL)
        fclose(s->file); // it was rotated away
    s->file = fopen(s->path, "re");
    s->inode = st.st_ino;
}

static int by_time(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static void print_line(const struct ctl *c, const char *text)
{
    char time[32];
    json_t *object = json_loads(text, 0, NULL);
    if (c->json || object == NULL) {
        if (c->json && object != NULL)
            puts(text);
        else
            output_text(text), putchar('\n');
        json_decref(object);
        return;
    }
    units_date(json_integer_value(json_object_get(object, "time")), time, sizeof time);
    printf("%s %-5s %-10s %s", time, json_string_value(json_object_get(object, "level")),
           json_string_value(json_object_get(object, "process")), json_string_value(json_object_get(object, "event")));
    static const char *const shown[] = {"time", "level", "process", "event"};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        json_object_del(object, shown[i]);
    fputs(json_object_size(object) > 0 ? "  " : "", stdout);
    output_members(object);
    putchar('\n');
    json_decref(object);
}

static void flush_lines(const struct ctl *c, struct lines *l, size_t last)
{
    if (l->count > 0)
        qsort(l->items, l->count, sizeof *l->items, by_time);
    for (size_t i = 0; i < l->count; i++) {
        if (i + last >= l->count)
            print_line(c, l->items[i].text);
        free(l->items[i].text);
    }
    free(l->items);
    *l = (struct lines){0};
    fflush(stdout);
}

static void look(const struct ctl *c, struct source *sources, struct lines *l)
{
    for (size_t i = 0; i < LOGS; i++) {
        if (c->node != NULL && strcmp(c->node, names[i]) != 0)
            continue;
        read_new(c, &sources[i], l); // the rest of a file that may have been rotated away
        open_source(&sources[i]);
        read_new(c, &sources[i], l);
    }
}

enum status run_log(struct ctl *c, struct error *e)
{
    struct source sources[LOGS] = {0};
    struct lines lines = {0};
    int64_t last;
    if (ctl_number(c, "lines", LINES_DEFAULT, CTL_LISTED_MAX, &last, e) != STATUS_OK)
        return e->status;
    for (size_t i = 0; i < LOGS; i++) {
        struct buf b = {0};
        buf_printf(&b, "%s/log/%s.log", c->state_dir, names[i]);
        sources[i].path = mem_text(buf_span(&b));
        buf_free(&b);
    }
    look(c, sources, &lines);
    flush_lines(c, &lines, (size_t)last);
    while (ctl_has(c, "follow") && !ferror(stdout)) {
        nanosleep(&(struct timespec){0, LOOK_MS * 1000000}, NULL);
        look(c, sources, &lines);
        flush_lines(c, &lines, SIZE_MAX / 2);
    }
    for (size_t i = 0; i < LOGS; i++) {
        if (sources[i].file != NULL)
            fclose(sources[i].file);
        free(sources[i].path);
    }
    return STATUS_OK;
}
