// What clients begin at a node and tie to their connection: files that come in pieces, storage directories that are
// written out. When the connection closes, the node is told to give it up.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "supervisor/core.h"

enum { TIED_MAX = 1024 }; // nodes have far fewer under way; beyond that the oldest is no longer tied

static const struct kind {
    const char *begins;
    enum ipc_name name; // of its id, in the answer and in what ends it
    const char *gives_up;
    const char *ends; // otherwise; NULL = nothing does
} kinds[] = {
    {"blob.begin", P_blob, "blob.abort", "blob.commit"},
    {"onedb.export", P_jobId, "job.cancel", NULL},
};

struct tied {
    struct tied *next; // newest first
    uint64_t connection;
    enum ipc_node node;
    const struct kind *kind;
    char id[65];
};

static void answered(void *ctx, json_t *result, const struct error *error)
{
    (void)ctx;
    (void)result;
    (void)error; // the node has forgotten it, or is not there any more
}

static void give_up(struct supervisor *s, const struct tied *t)
{
    const struct ipc_method *m = ipc_method_find(t->kind->gives_up);
    ipc_channel_call(process_channel(s->nodes[t->node].process), m->name,
                     json_pack("{s:s}", IPC_NAME_TEXTS[t->kind->name], t->id), m->timeout_ms, answered, NULL);
}

static const struct kind *kind_begun(const struct ipc_request *r)
{
    for (size_t i = 0; ipc_request_bool(r, P_tied, false) && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].begins, ipc_request_method(r)) == 0)
            return &kinds[i];
    return NULL;
}

static bool is_ended_by(const struct tied *t, const struct ipc_request *r)
{
    const char *method = ipc_request_method(r);
    const char *id = ipc_request_text(r, t->kind->name);
    bool ends = strcmp(method, t->kind->gives_up) == 0 || (t->kind->ends != NULL && strcmp(method, t->kind->ends) == 0);
    return ends && id != NULL && strcmp(id, t->id) == 0;
}

static void trim(struct supervisor *s)
{
    size_t count = 0;
    for (struct tied **link = &s->tied; *link != NULL; count++) {
        struct tied *t = *link;
        if (count < TIED_MAX) {
            link = &t->next;
            continue;
        }
        *link = t->next;
        free(t);
    }
}

void tied_begun(struct supervisor *s, const struct ipc_request *r, enum ipc_node node, const json_t *result)
{
    const struct kind *kind = kind_begun(r);
    const char *id = kind != NULL ? json_string_value(json_object_get(result, IPC_NAME_TEXTS[kind->name])) : NULL;
    if (id == NULL)
        return;
    struct tied *t = mem_alloc(sizeof *t);
    *t = (struct tied){.next = s->tied, .connection = ipc_request_connection(r), .node = node, .kind = kind};
    snprintf(t->id, sizeof t->id, "%s", id);
    if (ipc_request_is_abandoned(r)) {
        give_up(s, t);
        free(t);
        return;
    }
    s->tied = t;
    trim(s);
}

void tied_ending(struct supervisor *s, const struct ipc_request *r)
{
    for (struct tied **link = &s->tied; *link != NULL; link = &(*link)->next) {
        struct tied *t = *link;
        if (is_ended_by(t, r)) {
            *link = t->next;
            free(t);
            return;
        }
    }
}

static void connection_gone(void *ctx, uint64_t connection)
{
    struct supervisor *s = ctx;
    for (struct tied **link = &s->tied; *link != NULL;) {
        struct tied *t = *link;
        if (t->connection != connection) {
            link = &t->next;
            continue;
        }
        *link = t->next;
        give_up(s, t);
        free(t);
    }
}

void tied_register(struct supervisor *s, struct ipc_service *service)
{
    ipc_service_on_gone(service, connection_gone, s);
}

void tied_release(struct supervisor *s)
{
    while (s->tied != NULL) {
        struct tied *next = s->tied->next;
        free(s->tied);
        s->tied = next;
    }
}
