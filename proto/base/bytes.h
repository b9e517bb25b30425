// Byte strings: borrowed spans, growable buffers, and an arena for data that dies together.
//
// Everything that holds text holds UTF-8 (WTF-8 where DATA-MODEL.md 3.7 needs unpaired surrogates) with an explicit
// length; nothing relies on a terminating zero unless it says so. Allocation failure aborts with a message; sizes that
// a peer controls are bounded by the caller before they get here.
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span { // borrowed bytes
    const char *ptr;
    size_t len;
};

#define SPAN(literal) ((struct span){literal, sizeof(literal) - 1})
#define SPAN_FMT "%.*s" // printf pair: printf(SPAN_FMT, SPAN_ARG(s))
#define SPAN_ARG(s) (int)(s).len, (s).ptr

struct span span_of(const char *text); // of a zero-terminated string; NULL gives the empty span
bool span_eq(struct span a, struct span b);
bool span_eq_text(struct span a, const char *text);
bool span_starts_with(struct span s, struct span prefix);
struct span span_from(struct span s, size_t offset); // the rest; offset ≤ len

// malloc family that aborts when memory is out.
void *mem_alloc(size_t size); // zeroed
void *mem_array(size_t count, size_t size);
void *mem_resize(void *p, size_t size);
char *mem_text(struct span s); // zero-terminated copy, released with free

struct buf { // growable bytes; zero-initialised = empty; owner calls buf_free
    char *data;
    size_t len;
    size_t cap;
};

void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_span(struct buf *b, struct span s);
void buf_add_text(struct buf *b, const char *text);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *buf_reserve(struct buf *b, size_t extra); // room for extra bytes behind len; returns data + len
struct span buf_span(const struct buf *b);
const char *buf_cstr(struct buf *b); // adds a zero behind len, which does not count
void buf_drop_front(struct buf *b, size_t n);
void buf_clear(struct buf *b); // keeps the memory
void buf_free(struct buf *b);  // also zero-initialises

struct arena; // memory that is released as a whole

struct arena *arena_create(void);
void arena_destroy(struct arena *a);                    // NULL-safe
void arena_reset(struct arena *a);                      // forgets everything, keeps the first block
void *arena_alloc(struct arena *a, size_t size);        // zeroed, aligned for any type
struct span arena_copy(struct arena *a, struct span s); // zero-terminated behind len
struct span arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
size_t arena_used(const struct arena *a);
