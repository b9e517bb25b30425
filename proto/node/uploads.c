// The lock guards who has which upload and is held for moments; what is done to one is done without it, the removal of
// its file too.
#include "node/uploads.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/secret.h"

enum { UPLOADS_MAX = 64, UPLOAD_IDLE_MS = 10 * 60 * 1000 };

struct uploads {
    pthread_mutex_t lock;
    struct upload list[UPLOADS_MAX];
};

struct uploads *uploads_create(void)
{
    struct uploads *us = mem_alloc(sizeof *us);
    pthread_mutex_init(&us->lock, NULL);
    return us;
}

// Frees the place. The writer is the caller's to destroy, without the lock.
static struct store_writer *forget(struct upload *u)
{
    struct store_writer *w = u->writer;
    memset(u, 0, sizeof *u);
    return w;
}

void uploads_destroy(struct uploads *us)
{
    if (us == NULL)
        return;
    for (size_t i = 0; i < UPLOADS_MAX; i++)
        store_writer_destroy(forget(&us->list[i]));
    pthread_mutex_destroy(&us->lock);
    free(us);
}

static struct store_writer *forget_idle_one(struct uploads *us)
{
    uint64_t now_ms = clock_monotonic_ms();
    struct store_writer *w = NULL;
    pthread_mutex_lock(&us->lock);
    for (size_t i = 0; i < UPLOADS_MAX && w == NULL; i++) {
        struct upload *u = &us->list[i];
        if (u->writer != NULL && !u->taken && now_ms - u->touched_ms > UPLOAD_IDLE_MS)
            w = forget(u);
    }
    pthread_mutex_unlock(&us->lock);
    return w;
}

void uploads_forget_idle(struct uploads *us)
{
    for (struct store_writer *w; (w = forget_idle_one(us)) != NULL;)
        store_writer_destroy(w);
}

static struct upload *free_place(struct uploads *us)
{
    for (size_t i = 0; i < UPLOADS_MAX; i++) {
        if (us->list[i].writer == NULL)
            return &us->list[i];
    }
    return NULL;
}

static enum status begin(struct uploads *us, struct store *s, char name[UPLOAD_NAME + 1], struct error *e)
{
    struct upload *u = free_place(us);
    if (u == NULL)
        return error_set(e, STATUS_FULL, "BUSY", "%d files are being sent already", UPLOADS_MAX);
    if (store_writer_create(s, false, &u->writer, e) != STATUS_OK)
        return e->status;
    random_text(u->name, UPLOAD_NAME);
    memcpy(name, u->name, sizeof u->name);
    u->touched_ms = clock_monotonic_ms();
    return STATUS_OK;
}

enum status uploads_begin(struct uploads *us, struct store *s, char name[UPLOAD_NAME + 1], struct error *e)
{
    uploads_forget_idle(us);
    pthread_mutex_lock(&us->lock);
    enum status st = begin(us, s, name, e);
    pthread_mutex_unlock(&us->lock);
    return st;
}

static struct upload *find(struct uploads *us, struct span name, struct error *e)
{
    for (size_t i = 0; i < UPLOADS_MAX; i++) {
        struct upload *u = &us->list[i];
        if (u->writer != NULL && !u->unwanted && span_eq_text(name, u->name))
            return u;
    }
    error_set(e, STATUS_NOT_FOUND, "NOT-FOUND",
              "there is no file being sent with this name; it may have waited too long");
    return NULL;
}

enum status uploads_take(struct uploads *us, struct span name, struct upload **out, struct error *e)
{
    pthread_mutex_lock(&us->lock);
    struct upload *u = find(us, name, e);
    enum status st = u != NULL ? STATUS_OK : STATUS_NOT_FOUND;
    if (u != NULL && u->taken)
        st = error_set(e, STATUS_CONFLICT, "BUSY", "the file is being sent by a stream");
    if (st == STATUS_OK)
        u->taken = true;
    pthread_mutex_unlock(&us->lock);
    *out = u;
    return st;
}

enum status uploads_leave(struct uploads *us, struct upload *u, enum status st, struct error *e)
{
    struct store_writer *dropped = NULL;
    pthread_mutex_lock(&us->lock);
    if (st == STATUS_OK && u->unwanted)
        st = error_set(e, STATUS_CLOSED, "CLOSED", "the file was given up");
    u->taken = false;
    u->touched_ms = clock_monotonic_ms();
    if (st != STATUS_OK)
        dropped = forget(u);
    pthread_mutex_unlock(&us->lock);
    store_writer_destroy(dropped);
    return st;
}

void uploads_end(struct uploads *us, struct upload *u)
{
    pthread_mutex_lock(&us->lock);
    struct store_writer *w = forget(u);
    pthread_mutex_unlock(&us->lock);
    store_writer_destroy(w);
}

enum status uploads_give_up(struct uploads *us, struct span name, bool *taken, struct error *e)
{
    struct store_writer *dropped = NULL;
    pthread_mutex_lock(&us->lock);
    struct upload *u = find(us, name, e);
    *taken = u != NULL && u->taken;
    if (*taken)
        u->unwanted = true;
    else if (u != NULL)
        dropped = forget(u);
    pthread_mutex_unlock(&us->lock);
    store_writer_destroy(dropped);
    return u != NULL ? STATUS_OK : STATUS_NOT_FOUND;
}
