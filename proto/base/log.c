// Any thread writes; a line is one write, so that lines of several threads and processes stay whole. What cannot be
// written is dropped, since there is nowhere left to tell it. log_plain serves signal handlers: it allocates nothing.
#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

static struct {
    atomic_int fd;
    atomic_int format;
    atomic_int least;
    const char *_Atomic process;
    void (*_Atomic also)(struct span line);
} sink = {.fd = STDERR_FILENO, .format = LOG_FORMAT_TEXT, .least = LOG_INFO, .process = "tandem"};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

bool log_level_parse(const char *name, enum log_level *out)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++) {
        if (strcmp(level_names[i], name) != 0)
            continue;
        *out = (enum log_level)i;
        return true;
    }
    return false;
}

void log_open(int fd, enum log_format format, enum log_level least, const char *process)
{
    atomic_store(&sink.fd, fd);
    atomic_store(&sink.format, (int)format);
    atomic_store(&sink.least, (int)least);
    atomic_store(&sink.process, process);
}

void log_also(void (*also)(struct span line))
{
    atomic_store(&sink.also, also);
}

bool log_wants(enum log_level level)
{
    return (int)level >= atomic_load(&sink.least);
}

static void add_json_text(struct buf *b, struct span s)
{
    struct buf clean = {0};
    utf8_repair(s, &clean);
    text_add_json(buf_span(&clean), b);
    buf_free(&clean);
}

static void add_field(struct buf *b, const struct log_field *f, bool json)
{
    if (json)
        buf_printf(b, ",\"%s\":", f->name);
    else
        buf_printf(b, " %s=", f->name);
    struct span text = f->text;
    struct hash_text hex;
    if (f->kind == LOG_FIELD_INT) {
        buf_printf(b, "%lld", (long long)f->number);
        return;
    }
    if (f->kind == LOG_FIELD_HASH) {
        hex = hash_text(f->hash);
        text = span_of(hex.s);
    }
    if (json)
        add_json_text(b, text);
    else
        text_escape_controls(text, b);
}

static void add_head(struct buf *b, enum log_level level, const char *event, bool json)
{
    int64_t now = clock_wall_ms();
    const char *process = atomic_load(&sink.process);
    if (json) {
        buf_printf(b, "{\"time\":%lld,\"level\":\"%s\",\"process\":\"%s\",\"pid\":%d,\"event\":\"%s\"", (long long)now,
                   level_names[level], process, (int)getpid(), event);
        return;
    }
    time_t seconds = (time_t)(now / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    buf_printf(b, "%02d:%02d:%02d.%03d %-5s %s[%d] %s", tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(now % 1000),
               level_names[level], process, (int)getpid(), event);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    if (!log_wants(level))
        return;
    bool json = atomic_load(&sink.format) == LOG_FORMAT_JSON;
    struct buf b = {0};
    add_head(&b, level, event, json);
    for (const struct log_field *f = fields; f->name != NULL; f++)
        add_field(&b, f, json);
    buf_add_text(&b, json ? "}\n" : "\n");
    ssize_t ignored = write(atomic_load(&sink.fd), b.data, b.len);
    (void)ignored; // there is nowhere left to report a log that cannot be written
    void (*also)(struct span line) = atomic_load(&sink.also);
    if (also != NULL)
        also((struct span){b.data, b.len - 1});
    buf_free(&b);
}

void log_plain(const char *event, const char *code, int number)
{
    char line[256];
    bool json = atomic_load(&sink.format) == LOG_FORMAT_JSON;
    int n = snprintf(line, sizeof line,
                     json ? "{\"time\":%lld,\"level\":\"error\",\"process\":\"%s\",\"pid\":%d,\"event\":\"%s\","
                            "\"code\":\"%s\",\"call\":%d}\n"
                          : "%lld error %s[%d] %s code=%s call=%d\n",
                     (long long)clock_wall_ms(), atomic_load(&sink.process), (int)getpid(), event, code, number);
    ssize_t ignored = write(atomic_load(&sink.fd), line, n > 0 ? (size_t)n : 0);
    (void)ignored;
}
