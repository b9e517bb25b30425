// Requests get words of their own, as a REQ socket gives them, so that repeats are none; the answers are not matched
// here.
#include "ipc/line.h"

#include <stdlib.h>

#include "ipc/hub.h"

enum { WORD_SIZE = 4, LAST_WORD = 0x80 };

struct ipc_line {
    struct hub *hub;
    struct ipc_line_events events;
    uint32_t asked; // requests so far: answers are told apart by what is in them, not by these
};

static void took_message(void *ctx, struct hub_peer *peer, struct span message)
{
    struct ipc_line *l = ctx;
    struct span words;
    if (sp_split_words(&message, &words))
        l->events.answer(l->events.ctx, message);
    else
        hub_close(peer);
}

static void server_gone(void *ctx, struct hub_peer *peer)
{
    struct ipc_line *l = ctx;
    (void)peer;
    l->events.closed(l->events.ctx);
}

static void ignore_gone(void *ctx)
{
    (void)ctx;
}

struct ipc_line *ipc_line_dial(const char *path, struct ipc_line_events events, struct error *e)
{
    const struct hub_settings settings = {.own = SP_REQ, .other = SP_REP, .peers_max = 1};
    struct ipc_line *l = mem_alloc(sizeof *l);
    l->events = events;
    l->hub = hub_dial(path, settings, (struct hub_events){.message = took_message, .closed = server_gone, .ctx = l}, e);
    if (l->hub != NULL)
        return l;
    free(l);
    return NULL;
}

void ipc_line_destroy(struct ipc_line *l)
{
    if (l == NULL)
        return;
    l->events.closed = ignore_gone;
    if (hub_only(l->hub) != NULL)
        hub_close(hub_only(l->hub)); // without last words, which are waited for
    hub_destroy(l->hub);
    free(l);
}

int ipc_line_fd(const struct ipc_line *l)
{
    return hub_fd(l->hub);
}

void ipc_line_drain(struct ipc_line *l)
{
    hub_drain(l->hub);
}

void ipc_line_ask(struct ipc_line *l, struct span text)
{
    uint32_t n = l->asked++;
    const unsigned char word[WORD_SIZE] = {(unsigned char)(LAST_WORD | (n >> 24 & 0x7f)), (unsigned char)(n >> 16),
                                           (unsigned char)(n >> 8), (unsigned char)n};
    if (hub_only(l->hub) != NULL)
        hub_send(hub_only(l->hub), (struct span){(const char *)word, sizeof word}, text);
}

size_t ipc_line_unsent(const struct ipc_line *l)
{
    return hub_only(l->hub) != NULL ? hub_unsent(hub_only(l->hub)) : 0;
}
