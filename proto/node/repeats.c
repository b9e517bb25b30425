#include "node/repeats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { KEY_SIZE = 128 };

struct entry {
    char key[KEY_SIZE];        // "method opId", empty = free
    struct ipc_request *first; // while it is under way
    struct ipc_request *joined[REPEATS_JOINED_MAX];
    size_t joined_count;
    json_t *result; // NULL while under way
};

struct repeats {
    struct entry items[REPEATS_MAX];
    size_t next;
};

struct repeats *repeats_create(void)
{
    return mem_alloc(sizeof(struct repeats));
}

static void clear(struct entry *x)
{
    json_decref(x->result);
    *x = (struct entry){0};
}

void repeats_destroy(struct repeats *r)
{
    for (size_t i = 0; r != NULL && i < REPEATS_MAX; i++)
        clear(&r->items[i]);
    free(r);
}

static struct entry *find(struct repeats *r, const char *key)
{
    for (size_t i = 0; i < REPEATS_MAX; i++) {
        if (strcmp(r->items[i].key, key) == 0)
            return &r->items[i];
    }
    return NULL;
}

static void join(struct entry *x, struct ipc_request *request)
{
    struct error e;
    if (x->result != NULL) {
        ipc_request_reply(request, json_incref(x->result));
    } else if (x->joined_count < REPEATS_JOINED_MAX) {
        x->joined[x->joined_count++] = request;
    } else {
        error_set(&e, STATUS_FULL, "BUSY", "%d repeats of this request wait already", REPEATS_JOINED_MAX);
        ipc_request_fail(request, &e);
    }
}

// The oldest that is over makes room; when all are under way the request goes unremembered.
static struct entry *make_room(struct repeats *r)
{
    for (size_t i = 0; i < REPEATS_MAX; i++) {
        struct entry *x = &r->items[(r->next + i) % REPEATS_MAX];
        if (x->first != NULL)
            continue;
        r->next = (r->next + i + 1) % REPEATS_MAX;
        clear(x);
        return x;
    }
    return NULL;
}

bool repeats_take(struct repeats *r, struct ipc_request *request)
{
    char key[KEY_SIZE];
    if (ipc_request_op_id(request) == NULL)
        return false;
    snprintf(key, sizeof key, "%s %s", ipc_request_method(request), ipc_request_op_id(request));
    struct entry *x = find(r, key);
    if (x != NULL) {
        join(x, request);
        return true;
    }
    x = make_room(r);
    if (x != NULL) {
        memcpy(x->key, key, sizeof key);
        x->first = request;
    }
    return false;
}

static struct entry *entry_of(struct repeats *r, const struct ipc_request *request)
{
    for (size_t i = 0; i < REPEATS_MAX; i++) {
        if (r->items[i].first == request)
            return &r->items[i];
    }
    return NULL;
}

void repeats_reply(struct repeats *r, struct ipc_request *request, json_t *result)
{
    struct entry *x = entry_of(r, request);
    if (x != NULL) {
        x->result = json_incref(result);
        x->first = NULL;
        for (size_t i = 0; i < x->joined_count; i++)
            ipc_request_reply(x->joined[i], json_incref(result));
        x->joined_count = 0;
    }
    ipc_request_reply(request, result);
}

void repeats_fail(struct repeats *r, struct ipc_request *request, const struct error *why)
{
    struct entry *x = entry_of(r, request);
    for (size_t i = 0; x != NULL && i < x->joined_count; i++)
        ipc_request_fail(x->joined[i], why);
    if (x != NULL)
        clear(x);
    ipc_request_fail(request, why);
}
