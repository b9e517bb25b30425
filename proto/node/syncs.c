// What one session counts is added up when it ends, so the totals of a node never go down; what is only true now, like
// roots that fail, is summed over those that run.
#include "node/syncs.h"

#include <stdlib.h>

#include "models/sparing.h"
#include "node/syncs_internal.h"

enum { FOLLOW_MS = 60000 };

void syncs_add_counts(struct chum_counts *sum, const struct chum_counts *c)
{
    sum->objects_sent += c->objects_sent;
    sum->objects_received += c->objects_received;
    sum->bytes_sent += c->bytes_sent;
    sum->bytes_received += c->bytes_received;
    sum->passes += c->passes;
    if (c->last_pass_ms > sum->last_pass_ms)
        sum->last_pass_ms = c->last_pass_ms;
}

static bool is_with(const struct sync *sync, const struct hash *person)
{
    return hash_eq(&chum_session_peer(sync->session)->person_id, person);
}

void syncs_tell_news(struct syncs *ss)
{
    for (struct sync *s = ss->list; s != NULL; s = s->next)
        chum_session_tell_news(s->session);
}

void syncs_follow(struct syncs *ss, const struct hash *person)
{
    for (struct sync *s = ss->list; s != NULL; s = s->next) {
        if (is_with(s, person))
            chum_session_keep_active(s->session, FOLLOW_MS);
    }
}

bool syncs_with(const struct syncs *ss, const struct hash *person, bool *import, bool *export)
{
    bool found = false;
    for (const struct sync *s = ss->list; s != NULL; s = s->next) {
        if (!is_with(s, person))
            continue;
        found = true;
        if (import != NULL)
            *import = *import || chum_session_is_importing(s->session);
        if (export != NULL)
            *export = *export || chum_session_is_exporting(s->session);
    }
    return found;
}

bool syncs_between(const struct syncs *ss, const struct hash *self, const struct hash *person)
{
    for (const struct sync *s = ss->list; s != NULL; s = s->next) {
        if (is_with(s, person) && hash_eq(&s->speaker->self->person, self))
            return true;
    }
    return false;
}

bool syncs_refetch(struct syncs *ss, const struct hash *own, const struct hash_list *hashes,
                   chum_session_refetched done, void *ctx)
{
    for (struct sync *s = ss->list; s != NULL; s = s->next)
        if (is_with(s, own) && chum_session_refetch(s->session, hashes, done, ctx))
            return true;
    return false;
}

bool syncs_ask_held(struct syncs *ss, const struct hash *own, const struct hash_list *files, chum_session_held done,
                    void *ctx)
{
    for (struct sync *s = ss->list; s != NULL; s = s->next)
        if (is_with(s, own) && chum_session_ask_held(s->session, files, done, ctx))
            return true;
    return false;
}

void syncs_recheck(struct syncs *ss)
{
    for (struct sync *s = ss->list; s != NULL; s = s->next)
        s->rechecked_at = chum_session_recheck(s->session);
}

bool syncs_have_rechecked(const struct syncs *ss)
{
    for (const struct sync *s = ss->list; s != NULL; s = s->next)
        if (chum_session_counts(s->session).passes < s->rechecked_at || !chum_session_is_idle(s->session))
            return false;
    return true;
}

bool syncs_shown_to(const struct syncs *ss, const struct identity *self, const struct hash *person,
                    const struct hash *hash)
{
    const struct speaker *f = ss->speakers;
    while (f != NULL && f->self != self)
        f = f->next;
    return f != NULL && chum_access_shown_to(f->access, person, hash);
}

bool syncs_are_idle(const struct syncs *ss)
{
    for (const struct sync *s = ss->list; s != NULL; s = s->next) {
        if (!chum_session_is_idle(s->session))
            return false;
    }
    return true;
}

struct chum_counts syncs_counts(const struct syncs *ss)
{
    struct chum_counts sum = ss->ended;
    uint64_t measured = 0;
    for (const struct sync *s = ss->list; s != NULL; s = s->next) {
        struct chum_counts c = chum_session_counts(s->session);
        syncs_add_counts(&sum, &c);
        sum.failed_roots += c.failed_roots;
        sum.stuck += c.stuck;
        sum.skipped_roots += c.skipped_roots;
        sum.latency_ms += c.latency_ms;
        measured += c.last_pass_ms != 0;
    }
    sum.latency_ms = measured != 0 ? sum.latency_ms / measured : 0;
    return sum;
}

bool syncs_latency(const struct syncs *ss, const struct conn *c, uint64_t *ms)
{
    for (const struct sync *s = ss->list; s != NULL; s = s->next) {
        struct chum_counts counts = chum_session_counts(s->session);
        *ms = counts.latency_ms;
        if (chum_session_conn(s->session) == c)
            return counts.last_pass_ms != 0;
    }
    return false;
}

// ---- Life ----------------------------------------------------------------------------------------------------------

struct syncs *syncs_create(struct peers *p)
{
    struct syncs *ss = mem_alloc(sizeof *ss);
    ss->peers = p;
    ss->refusals = refusals_create();
    ss->sparing = node_kind(p->node)->store == STORE_SPARSE ? sparing_cache_create() : NULL;
    return ss;
}

void syncs_close(struct syncs *ss)
{
    ss->closing = true;
}

void syncs_destroy(struct syncs *ss)
{
    if (ss == NULL)
        return;
    for (struct speaker *f = ss->speakers, *next; f != NULL; f = next) {
        next = f->next;
        chum_access_destroy(f->access);
        free(f);
    }
    refusals_destroy(ss->refusals);
    sparing_cache_destroy(ss->sparing);
    free(ss);
}
