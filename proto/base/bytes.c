// Where memory comes from: running out of it ends the process here, so that nobody else has to ask. An arena is a chain
// of blocks; resetting one keeps its first.
#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(size_t size)
{
    fprintf(stderr, "out of memory while asking for %zu bytes\n", size);
    abort();
}

struct span span_of(const char *text)
{
    return (struct span){text, text != NULL ? strlen(text) : 0};
}

bool span_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool span_eq_text(struct span a, const char *text)
{
    return span_eq(a, span_of(text));
}

bool span_starts_with(struct span s, struct span prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

struct span span_from(struct span s, size_t offset)
{
    return (struct span){offset != 0 ? s.ptr + offset : s.ptr, s.len - offset};
}

void *mem_alloc(size_t size)
{
    void *p = calloc(1, size != 0 ? size : 1);
    if (p == NULL)
        out_of_memory(size);
    return p;
}

void *mem_array(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        out_of_memory(SIZE_MAX);
    return mem_alloc(count * size);
}

void *mem_resize(void *p, size_t size)
{
    void *q = realloc(p, size != 0 ? size : 1);
    if (q == NULL)
        out_of_memory(size);
    return q;
}

char *mem_text(struct span s)
{
    char *p = mem_alloc(s.len + 1);
    if (s.len != 0)
        memcpy(p, s.ptr, s.len);
    return p;
}

char *buf_reserve(struct buf *b, size_t extra)
{
    if (extra > SIZE_MAX / 2 - b->len)
        out_of_memory(extra);
    size_t need = b->len + extra;
    if (need > b->cap) {
        size_t cap = b->cap != 0 ? b->cap : 64;
        while (cap < need)
            cap *= 2;
        b->data = mem_resize(b->data, cap);
        b->cap = cap;
    }
    return b->data != NULL ? b->data + b->len : NULL;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    if (len == 0)
        return;
    memcpy(buf_reserve(b, len), data, len);
    b->len += len;
}

void buf_add_span(struct buf *b, struct span s)
{
    buf_add(b, s.ptr, s.len);
}

void buf_add_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_add_char(struct buf *b, char c)
{
    *buf_reserve(b, 1) = c;
    b->len++;
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    if (n > 0) {
        vsnprintf(buf_reserve(b, (size_t)n + 1), (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

struct span buf_span(const struct buf *b)
{
    return (struct span){b->data, b->len};
}

const char *buf_cstr(struct buf *b)
{
    *buf_reserve(b, 1) = '\0';
    return b->data;
}

void buf_drop_front(struct buf *b, size_t n)
{
    if (n < b->len)
        memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
}

void buf_clear(struct buf *b)
{
    b->len = 0;
}

void buf_free(struct buf *b)
{
    free(b->data);
    memset(b, 0, sizeof *b);
}

// An arena is a chain of blocks, newest first; each allocation comes from the newest block or makes a bigger one.
struct block {
    struct block *older;
    size_t size;
    size_t used;
    max_align_t data[];
};

struct arena {
    struct block *newest;
    size_t used;
};

enum { FIRST_BLOCK = 4096, BIGGEST_STEP = 1 << 20 };

struct arena *arena_create(void)
{
    return mem_alloc(sizeof(struct arena));
}

static void release_blocks(struct block *b, struct block *keep)
{
    while (b != NULL && b != keep) {
        struct block *older = b->older;
        free(b);
        b = older;
    }
}

void arena_destroy(struct arena *a)
{
    if (a == NULL)
        return;
    release_blocks(a->newest, NULL);
    free(a);
}

void arena_reset(struct arena *a)
{
    struct block *first = a->newest;
    while (first != NULL && first->older != NULL)
        first = first->older;
    release_blocks(a->newest, first);
    a->newest = first;
    a->used = 0;
    if (first != NULL)
        first->used = 0;
}

static void add_block(struct arena *a, size_t need)
{
    size_t size = a->newest != NULL ? a->newest->size * 2 : FIRST_BLOCK;
    if (size > BIGGEST_STEP)
        size = BIGGEST_STEP;
    if (size < need)
        size = need;
    struct block *b = malloc(sizeof *b + size);
    if (b == NULL)
        out_of_memory(size);
    b->older = a->newest;
    b->size = size;
    b->used = 0;
    a->newest = b;
}

static void *take(struct arena *a, size_t size)
{
    if (size > SIZE_MAX / 2)
        out_of_memory(size);
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (a->newest == NULL || a->newest->size - a->newest->used < size)
        add_block(a, size);
    void *p = (char *)a->newest->data + a->newest->used;
    a->newest->used += size;
    a->used += size;
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return memset(take(a, size), 0, size);
}

struct span arena_copy(struct arena *a, struct span s)
{
    char *p = take(a, s.len + 1);
    if (s.len != 0)
        memcpy(p, s.ptr, s.len);
    p[s.len] = '\0';
    return (struct span){p, s.len};
}

struct span arena_printf(struct arena *a, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    size_t len = n > 0 ? (size_t)n : 0;
    char *p = take(a, len + 1);
    vsnprintf(p, len + 1, format, again);
    va_end(again);
    return (struct span){p, len};
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}
