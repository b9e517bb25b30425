// What waits lies in no channel. Of it those are taken that are as new as what was looked through of the channels: the
// pages of an answer are then in order, and none is told twice.
#include "node/search.h"

#include <math.h>
#include <stdlib.h>

#include "models/search.h"
#include "node/conversation.h"
#include "node/face.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/page.h"
#include "node/params.h"
#include "store/outbox.h"

enum { WAITING_MAX = 4096 }; // that are looked at for one answer

static json_t *show_hit(struct model *m, const struct search_hit *hit, bool is_face)
{
    json_t *shown = conversation_show(m, &hit->message, is_face);
    json_object_set_new(shown, "topic", node_json_text(topic_key(m, hit->topic)));
    json_object_set_new(shown, "name", node_topic_name(m, hit->topic));
    return shown;
}

// ---- What waits -----------------------------------------------------------------------------------------------------

static bool is_found(const struct search_result *found, size_t count, const struct hash *message)
{
    for (size_t i = 0; i < count; i++)
        if (hash_eq(&found->items[i].message.id, message))
            return true;
    return false;
}

static int newest_first(const void *a, const void *b)
{
    const struct chat_message *x = &((const struct search_hit *)a)->message;
    const struct chat_message *y = &((const struct search_hit *)b)->message;
    if (x->timestamp != y->timestamp)
        return x->timestamp > y->timestamp ? -1 : 1;
    return hash_compare(&y->id, &x->id);
}

struct range { // of times, and of ids at both ends
    double from;
    double until;
    const struct hash *after;  // at "from" what is told before this one
    const struct hash *before; // at "until" what is told after this one
};

static bool is_within(const struct range *range, const struct store_intent *row)
{
    if (range->before != NULL && (hash_eq(&row->message, range->before) ||
                                  (row->time >= range->until && hash_compare(&row->message, range->before) > 0)))
        return false;
    return range->after == NULL || row->time > range->from || hash_compare(&row->message, range->after) > 0;
}

struct finding {
    struct model *m;
    struct range range;
    struct span wanted;
    size_t left; // to look at
    size_t of_channels;
    size_t room; // of found->items
    struct search_result *found;
};

static void add_hit(struct finding *f, const struct search_hit *hit)
{
    struct search_result *found = f->found;
    if (found->count == f->room) {
        f->room = 2 * f->room + 16;
        struct search_hit *all = arena_alloc(f->m->arena, f->room * sizeof *all);
        for (size_t i = 0; i < found->count; i++)
            all[i] = found->items[i];
        found->items = all;
    }
    found->items[found->count++] = *hit;
}

static enum status add_of_topic(struct finding *f, struct topic *topic, struct error *e)
{
    struct model *m = f->m;
    struct store_intents rows;
    enum status st = store_outbox_of_topic(m->store, m->arena, topic_key(m, topic), f->range.until, f->left, &rows, e);
    for (size_t i = 0; st == STATUS_OK && i < rows.count && rows.items[i].time >= f->range.from; i++, f->left--) {
        struct search_hit hit = {.topic = topic};
        if (is_within(&f->range, &rows.items[i]) && !is_found(f->found, f->of_channels, &rows.items[i].message) &&
            conversation_row(m, &rows.items[i], &hit.message) && search_holds(hit.message.text, f->wanted))
            add_hit(f, &hit);
    }
    return st;
}

static enum status add_waiting(struct node_job *job, struct model *m, struct topics *topics, const struct hash *before,
                               struct search_result *found, struct error *e)
{
    const struct hash last = found->last;
    struct finding f = {.m = m,
                        .range = {.from = found->more ? conversation_time(m, &last) : -INFINITY,
                                  .until = before != NULL ? conversation_time(m, before) : INFINITY,
                                  .after = found->more ? &last : NULL,
                                  .before = before},
                        .left = WAITING_MAX,
                        .of_channels = found->count,
                        .room = found->count,
                        .found = found};
    enum status st = search_wanted(m, node_job_text(job, P_text), &f.wanted, e);
    for (size_t i = 0; st == STATUS_OK && i < topics->count && f.left != 0; i++)
        st = add_of_topic(&f, &topics->items[i], e);
    if (st == STATUS_OK && found->count > 1)
        qsort(found->items, found->count, sizeof *found->items, newest_first);
    return st;
}

// ---- The whole ------------------------------------------------------------------------------------------------------

static void cut(struct search_result *found, size_t count)
{
    if (count >= found->count)
        return;
    found->count = count;
    found->more = true;
    found->last = found->items[count - 1].message.id;
}

static json_t *show(struct node_job *job, struct model *m, struct search_result *found)
{
    json_t *items = json_array();
    size_t bytes = 0;
    size_t shown = 0;
    while (shown < found->count && bytes < IPC_PAGE_MAX) {
        json_t *item = show_hit(m, &found->items[shown++], face_is(job));
        bytes += node_json_size(item);
        json_array_append_new(items, item);
    }
    cut(found, shown);
    return items;
}

enum status search_work(struct node_job *job, struct model *m, struct error *e)
{
    struct search_result found;
    struct topics topics;
    struct hash before;
    bool given;
    size_t limit = (size_t)ipc_request_int(job->request, P_limit, 20);
    enum status st = node_job_optional_hash(job, P_before, &before, &given, e);
    if (st == STATUS_OK)
        st = node_job_topics(job, m, &topics, e);
    if (st == STATUS_OK)
        st = search_messages(m, &topics, node_job_text(job, P_text), given ? &before : NULL, limit, &found, e);
    if (st == STATUS_OK && face_is(job))
        st = add_waiting(job, m, &topics, given ? &before : NULL, &found, e);
    if (st != STATUS_OK)
        return st;
    cut(&found, limit);
    job->result = json_pack("{s:o}", "items", show(job, m, &found));
    if (found.more)
        json_object_set_new(job->result, "next", node_json_hash(&found.last));
    return STATUS_OK;
}
