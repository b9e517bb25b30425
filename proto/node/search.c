// What waits lies in no channel. Of it those are taken that are as new as what was looked through of the channels, and
// where looking through what waits stops, what is older of the channels is left to the next page: pages are then in
// order, and none is told twice. How much may wait is the outbox's bound; where it lies is read whole, what it says as
// far as the bounds of one call go (those of models/search.c).
#include "node/search.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "models/search.h"
#include "node/conversation.h"
#include "node/face.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/page.h"
#include "node/params.h"
#include "store/outbox.h"

enum { MESSAGES_MAX = 4096, BYTES_MAX = 4 << 20, WORK_MS = 100 };

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

static int compare(double time, const struct hash *id, double other_time, const struct hash *other_id)
{
    if (time != other_time)
        return time > other_time ? -1 : 1;
    return hash_compare(other_id, id);
}

static int newest_first(const void *a, const void *b)
{
    const struct chat_message *x = &((const struct search_hit *)a)->message;
    const struct chat_message *y = &((const struct search_hit *)b)->message;
    return compare((double)x->timestamp, &x->id, (double)y->timestamp, &y->id);
}

struct range { // of times, and of ids at both ends
    double from;
    double until;
    const struct hash *after;  // at "from" what is told before this one
    const struct hash *before; // at "until" what is told after this one
};

static bool is_within(const struct range *range, const struct outbox_place *place)
{
    if (range->before != NULL && (hash_eq(&place->message, range->before) ||
                                  (place->time >= range->until && hash_compare(&place->message, range->before) > 0)))
        return false;
    return place->time >= range->from &&
           (range->after == NULL || place->time > range->from || hash_compare(&place->message, range->after) > 0);
}

struct waiting {
    struct outbox_place place;
    struct topic *topic;
};

static int newest_waiting_first(const void *a, const void *b)
{
    const struct outbox_place *x = &((const struct waiting *)a)->place;
    const struct outbox_place *y = &((const struct waiting *)b)->place;
    return compare(x->time, &x->message, y->time, &y->message);
}

struct finding {
    struct model *m;
    struct range range;
    struct topic *topic; // that is asked for what waits
    struct buf waiting;  // struct waiting, of all topics
    struct span wanted;
    size_t limit;
    size_t bytes; // of texts that were looked at
    uint64_t until;
    struct search_result *found;
};

static void collect(void *arg, const struct outbox_place *place)
{
    struct finding *f = arg;
    struct waiting w = {*place, f->topic};
    if (is_within(&f->range, place))
        buf_add(&f->waiting, &w, sizeof w);
}

static bool is_tired(const struct finding *f, size_t looked)
{
    return looked >= MESSAGES_MAX || f->bytes >= BYTES_MAX || clock_monotonic_ms() >= f->until;
}

// Where it stopped is the end of the page: of the channels what is older waits for the next one.
static void stop_at(struct search_result *found, size_t of_channels, const struct outbox_place *end)
{
    size_t kept = 0;
    for (size_t i = 0; i < found->count; i++) {
        const struct chat_message *message = &found->items[i].message;
        if (i >= of_channels || compare((double)message->timestamp, &message->id, end->time, &end->message) < 0)
            found->items[kept++] = found->items[i];
    }
    found->count = kept;
    found->more = true;
    found->last = end->message;
}

// At least one, however long it took to come here.
static void look_through(struct finding *f, const struct waiting *items, size_t count)
{
    struct search_result *found = f->found;
    size_t of_channels = found->count;
    size_t i = 0;
    struct search_hit *all = arena_alloc(f->m->arena, (of_channels + f->limit + 1) * sizeof *all);
    for (size_t k = 0; k < of_channels; k++)
        all[k] = found->items[k];
    found->items = all;
    while (i < count && found->count < of_channels + f->limit && (i == 0 || !is_tired(f, i))) {
        const struct waiting *w = &items[i++];
        const struct store_intent row = {.message = w->place.message, .state = w->place.state};
        struct search_hit hit = {.topic = w->topic};
        if (!conversation_row(f->m, &row, &hit.message))
            continue;
        f->bytes += hit.message.text.len;
        if (search_holds(hit.message.text, f->wanted) && !is_found(found, of_channels, &row.message))
            found->items[found->count++] = hit;
    }
    if (i < count)
        stop_at(found, of_channels, &items[i - 1].place);
}

static enum status add_waiting(struct node_job *job, struct model *m, struct topics *topics, const struct hash *before,
                               size_t limit, struct search_result *found, struct error *e)
{
    const struct hash last = found->last;
    struct finding f = {.m = m,
                        .range = {.from = found->more ? conversation_time(m, &last) : -INFINITY,
                                  .until = before != NULL ? conversation_time(m, before) : INFINITY,
                                  .after = found->more ? &last : NULL,
                                  .before = before},
                        .limit = limit,
                        .until = clock_monotonic_ms() + WORK_MS,
                        .found = found};
    enum status st = search_wanted(m, node_job_text(job, P_text), &f.wanted, e);
    for (size_t i = 0; st == STATUS_OK && i < topics->count; i++) {
        f.topic = &topics->items[i];
        st = store_outbox_places(m->store, topic_key(m, f.topic), f.range.until, collect, &f, e);
    }
    size_t count = f.waiting.len / sizeof(struct waiting);
    if (st == STATUS_OK && count != 0) {
        qsort(f.waiting.data, count, sizeof(struct waiting), newest_waiting_first);
        look_through(&f, (const struct waiting *)f.waiting.data, count);
    }
    if (st == STATUS_OK && found->count > 1)
        qsort(found->items, found->count, sizeof *found->items, newest_first);
    buf_free(&f.waiting);
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
        st = add_waiting(job, m, &topics, given ? &before : NULL, limit, &found, e);
    if (st != STATUS_OK)
        return st;
    cut(&found, limit);
    job->result = json_pack("{s:o}", "items", show(job, m, &found));
    if (found.more)
        json_object_set_new(job->result, "next", node_json_hash(&found.last));
    return STATUS_OK;
}
