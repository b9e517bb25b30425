// Logging: one structured line per event, JSON for files, text for a terminal.
//
//   LOG(LOG_WARN, "conn.refused", LOG_TEXT("peer", name), LOG_INT("afterMs", ms));
//
// An event is noun.verb; fields are few and flat. No secret, token or message text is ever a field. Thread-safe; a line
// is written with one write(2).
#pragma once

#include "base/bytes.h"
#include "base/hash.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

// By its word in settings, options and lines: debug, info, warn, error. false leaves out as it was.
bool log_level_parse(const char *name, enum log_level *out);

struct log_field {
    const char *name;
    enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_HASH } kind;
    struct span text;
    int64_t number;
    const struct hash *hash;
};

#define LOG_SPAN(n, s) ((struct log_field){.name = (n), .kind = LOG_FIELD_TEXT, .text = (s)})
#define LOG_TEXT(n, s) LOG_SPAN(n, span_of(s))
#define LOG_INT(n, i) ((struct log_field){.name = (n), .kind = LOG_FIELD_INT, .number = (int64_t)(i)})
#define LOG_HASH(n, h) ((struct log_field){.name = (n), .kind = LOG_FIELD_HASH, .hash = (h)})
#define LOG(level, event, ...)                                                                                         \
    log_write(level, event, (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.name = NULL}})

// Until log_open is called lines go to standard error as text. fd stays the caller's. process is a static name.
void log_open(int fd, enum log_format format, enum log_level least, const char *process);
// Every line from now on, without its end, is given to this as well; NULL = no more. From any thread.
void log_also(void (*also)(struct span line));
bool log_wants(enum log_level level); // for what would only be made for a line
void log_write(enum log_level level, const char *event, const struct log_field *fields); // fields end with name NULL

// An error with one number, for signal handlers: allocates nothing. The words are plain.
void log_plain(const char *event, const char *code, int number);
