// What is far ahead stays above what is posted now: if it was the base of the next time, one number would do for ever.
// But all that stays above is written anew with every post, so many entries of that kind would make a conversation
// dear, and to refuse posts then would let a contact silence it. So, of more than can be carried along:
//  - a clock that is years ahead was somebody's who meant what he said: we follow, in order, and nothing is lost;
//  - times that no clock shows are left behind. The list without them is a successor of the one with them, which others
//    take over as it is. If somebody brings them back, they stay until the next post.
#include "models/channel_base.h"

#include <math.h>

#include "base/clock.h"
#include "base/log.h"
#include "models/channel.h"

struct walk {
    struct channel_base *base;
    double today;  // the latest time that may be the base
    size_t ahead;  // passed since the head
    bool has_near; // among them is one of a time that a clock may show
    double near;   // of the newest of those
};

static bool is_absurd(double time)
{
    return isnan(time) || time > CHANNEL_FAR_MS;
}

static bool is_too_much(const struct walk *w)
{
    return w->ahead > CHANNEL_AHEAD_MAX;
}

static void found(struct channel_base *base, double time)
{
    base->found = true;
    base->time = time;
}

static void pass(struct walk *w, const struct list_element *element)
{
    struct channel_base *base = w->base;
    if (is_too_much(w) && is_absurd(element->timestamp)) {
        w->ahead++;
        return;
    }
    if (is_too_much(w)) {
        base->left += w->ahead;
        base->head = element->entry;
        w->ahead = 0;
    }
    if (time_is_valid(element->timestamp) && element->timestamp <= w->today) {
        found(base, element->timestamp);
        return;
    }
    if (!w->has_near && !is_absurd(element->timestamp)) {
        w->has_near = true;
        w->near = element->timestamp;
    }
    w->ahead++;
    if (is_too_much(w) && w->has_near)
        found(base, w->near);
}

enum status channel_base_find(struct model *m, const struct hash *head, struct channel_base *out, struct error *e)
{
    bool end = false;
    enum status status = STATUS_OK;
    *out = (struct channel_base){.head = *head};
    struct walk w = {.base = out, .today = (double)(m->now_ms + CHANNEL_AHEAD_MS)};
    struct list_iterator *it = list_iterator_create(store_versions(m->store), head, 1, false);
    while (status == STATUS_OK && !end && !out->found) {
        struct list_element element;
        status = list_iterator_next(it, &element, &end, e);
        if (status == STATUS_OK && !end)
            pass(&w, &element);
    }
    list_iterator_destroy(it);
    if (end && is_too_much(&w)) {
        out->left += w.ahead;
        out->head = (struct hash){{0}};
    }
    if (out->left != 0)
        LOG(LOG_WARN, "channel.left-behind", LOG_HASH("head", head), LOG_INT("entries", (int64_t)out->left));
    return status;
}
