#include "ipc/outbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "crypto/secret.h"
#include "ipc/methods.h"

struct letter {
    struct letter *next;
    nng_msg *message;
};

struct outbox {
    nng_socket socket;
    nng_aio *aio;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    struct letter *first;
    struct letter **end;
    size_t bytes; // waiting here
    bool sending; // one message is with nng
    bool closing;
};

// Called with the lock held. Starting a send may complete at once on another thread, which then waits for the lock.
static void send_next(struct outbox *o)
{
    struct letter *l = o->first;
    o->sending = l != NULL && !o->closing;
    if (!o->sending) {
        pthread_cond_broadcast(&o->idle);
        return;
    }
    o->first = l->next;
    if (o->first == NULL)
        o->end = &o->first;
    o->bytes -= nng_msg_len(l->message);
    nng_aio_set_msg(o->aio, l->message);
    free(l);
    nng_send_aio(o->socket, o->aio);
}

static void sent(void *arg)
{
    struct outbox *o = arg;
    if (nng_aio_result(o->aio) != 0) // nng left the message with us
        nng_msg_free(nng_aio_get_msg(o->aio));
    pthread_mutex_lock(&o->lock);
    send_next(o);
    pthread_mutex_unlock(&o->lock);
}

struct outbox *outbox_create(nng_socket socket)
{
    struct outbox *o = mem_alloc(sizeof *o);
    o->socket = socket;
    o->end = &o->first;
    pthread_mutex_init(&o->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&o->idle, &attributes);
    pthread_condattr_destroy(&attributes);
    if (nng_aio_alloc(&o->aio, sent, o) != 0)
        abort();
    return o;
}

void outbox_destroy(struct outbox *o)
{
    if (o == NULL)
        return;
    pthread_mutex_lock(&o->lock);
    o->closing = true;
    pthread_mutex_unlock(&o->lock);
    nng_aio_stop(o->aio);
    nng_aio_free(o->aio);
    while (o->first != NULL) {
        struct letter *l = o->first;
        o->first = l->next;
        nng_msg_free(l->message);
        free(l);
    }
    pthread_cond_destroy(&o->idle);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

static enum status make_message(nng_msg *header, const json_t *json, nng_msg **out, struct error *e)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL)
        return error_set(e, STATUS_INTERNAL, "INTERNAL", "a message cannot be written as JSON");
    size_t len = strlen(text);
    enum status s = STATUS_OK;
    if (len > IPC_MESSAGE_MAX)
        s = error_set(e, STATUS_TOO_BIG, "TOO-BIG", "a message of %zu bytes is over the limit of %d MiB", len,
                      IPC_MESSAGE_MAX >> 20);
    else if (nng_msg_alloc(out, 0) != 0 || nng_msg_append(*out, text, len) != 0 ||
             (header != NULL && nng_msg_header_append(*out, nng_msg_header(header), nng_msg_header_len(header)) != 0))
        abort(); // out of memory
    secret_wipe(text, len);
    free(text);
    return s;
}

enum status outbox_send(struct outbox *o, nng_msg *header, const json_t *json, size_t bound, struct error *e)
{
    nng_msg *message = NULL;
    enum status s = make_message(header, json, &message, e);
    if (s != STATUS_OK)
        return s;
    struct letter *l = mem_alloc(sizeof *l);
    l->message = message;
    pthread_mutex_lock(&o->lock);
    if (bound != 0 && o->bytes >= bound) {
        s = error_set(e, STATUS_FULL, "BUSY", "the other side does not read");
        nng_msg_free(message);
        free(l);
    } else {
        *o->end = l;
        o->end = &l->next;
        o->bytes += nng_msg_len(message);
        if (!o->sending)
            send_next(o);
    }
    pthread_mutex_unlock(&o->lock);
    return s;
}

void outbox_flush(struct outbox *o, int timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&o->lock);
    while (o->sending)
        if (pthread_cond_timedwait(&o->idle, &o->lock, &until) != 0)
            break;
    pthread_mutex_unlock(&o->lock);
}
