// Answers lie in a ring. One that is under way keeps its place, however old; when all are under way the next request
// goes unremembered, which costs a repeat of it its answer and nothing else.
#include "ipc/repeats.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"

struct entry {
    char *key;                 // "method opId", NULL = free
    struct ipc_request *first; // while it is under way
    struct ipc_request **joined;
    size_t joined_count;
    json_t *result; // NULL while under way
    uint64_t began;
};

struct repeats {
    struct repeats_limits limits;
    size_t next;
    struct entry items[];
};

struct repeats *repeats_create(struct repeats_limits limits)
{
    struct repeats *r = mem_alloc(sizeof *r + limits.remembered * sizeof r->items[0]);
    r->limits = limits;
    return r;
}

static void clear(struct entry *x)
{
    json_decref(x->result);
    free(x->joined);
    free(x->key);
    *x = (struct entry){0};
}

void repeats_destroy(struct repeats *r)
{
    for (size_t i = 0; r != NULL && i < r->limits.remembered; i++)
        clear(&r->items[i]);
    free(r);
}

static bool is_forgotten(const struct repeats *r, const struct entry *x)
{
    return x->result != NULL && r->limits.age_ms != 0 && clock_monotonic_ms() - x->began > r->limits.age_ms;
}

static struct entry *find(struct repeats *r, const char *key)
{
    for (size_t i = 0; i < r->limits.remembered; i++) {
        struct entry *x = &r->items[i];
        if (x->key == NULL || strcmp(x->key, key) != 0)
            continue;
        if (!is_forgotten(r, x))
            return x;
        clear(x);
    }
    return NULL;
}

static void join(struct repeats *r, struct entry *x, struct ipc_request *request)
{
    struct error e;
    if (x->result != NULL) {
        ipc_request_reply(request, json_incref(x->result));
    } else if (x->joined_count < r->limits.joined) {
        x->joined = mem_resize(x->joined, (x->joined_count + 1) * sizeof(struct ipc_request *));
        x->joined[x->joined_count++] = request;
    } else {
        error_set(&e, STATUS_FULL, "BUSY", "%zu repeats of this request wait already", r->limits.joined);
        ipc_request_fail(request, &e);
    }
}

// The oldest that is over makes room; NULL: all are under way.
static struct entry *make_room(struct repeats *r)
{
    for (size_t i = 0; i < r->limits.remembered; i++) {
        struct entry *x = &r->items[(r->next + i) % r->limits.remembered];
        if (x->first != NULL)
            continue;
        r->next = (r->next + i + 1) % r->limits.remembered;
        clear(x);
        return x;
    }
    return NULL;
}

bool repeats_take(struct repeats *r, struct ipc_request *request)
{
    struct buf key = {0};
    if (ipc_request_op_id(request) == NULL)
        return false;
    buf_printf(&key, "%s %s", ipc_request_method(request), ipc_request_op_id(request));
    struct entry *known = find(r, buf_cstr(&key));
    struct entry *x = known == NULL ? make_room(r) : NULL;
    if (known != NULL)
        join(r, known, request);
    else if (x != NULL)
        *x = (struct entry){.key = mem_text(buf_span(&key)), .first = request, .began = clock_monotonic_ms()};
    buf_free(&key);
    return known != NULL;
}

// NULL: it goes unremembered.
static struct entry *entry_of(struct repeats *r, const struct ipc_request *request)
{
    for (size_t i = 0; i < r->limits.remembered; i++)
        if (r->items[i].first == request)
            return &r->items[i];
    return NULL;
}

void repeats_reply(struct repeats *r, struct ipc_request *request, json_t *result)
{
    struct entry *x = entry_of(r, request);
    json_t *answer = result != NULL ? result : json_object();
    if (x != NULL) {
        x->result = json_incref(answer);
        x->first = NULL;
        for (size_t i = 0; i < x->joined_count; i++)
            ipc_request_reply(x->joined[i], json_incref(answer));
        x->joined_count = 0;
    }
    ipc_request_reply(request, answer);
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

bool repeats_is_abandoned(const struct repeats *r, const struct ipc_request *request)
{
    if (!ipc_request_is_abandoned(request))
        return false;
    for (size_t i = 0; i < r->limits.remembered; i++)
        for (size_t k = 0; r->items[i].first == request && k < r->items[i].joined_count; k++)
            if (!ipc_request_is_abandoned(r->items[i].joined[k]))
                return false;
    return true;
}
