// The two lists are walked side by side, newest first, down to an entry that both have: below it they are the same.
// Each entry that only theirs has must carry our own affirmation and a time between backup and restore; one that does
// not makes the whole version foreign, for a version is taken or refused as one. What cannot be read, or not in
// LOOKED_AT_MAX steps, is foreign too.
#include "models/returning.h"

#include <stdio.h>
#include <stdlib.h>

#include "models/channel.h"
#include "models/trust.h"

#define FROM_SETTING "returning.from"
#define UNTIL_SETTING "returning.until"

enum { LOOKED_AT_MAX = 20000 }; // elements of both lists, until they are the same

enum status returning_expect(struct model *m, int64_t from_ms, struct error *e)
{
    char from[24];
    char until[24];
    snprintf(from, sizeof from, "%lld", (long long)from_ms);
    snprintf(until, sizeof until, "%lld", (long long)m->now_ms + CHANNEL_AHEAD_MS); // as far as our times run ahead
    enum status status = store_setting_set(m->store, FROM_SETTING, span_of(from), e);
    return status == STATUS_OK ? store_setting_set(m->store, UNTIL_SETTING, span_of(until), e) : status;
}

static double time_of(struct model *m, const char *setting)
{
    struct span text;
    char number[24];
    if (store_setting_get(m->store, setting, m->arena, &text, NULL) != STATUS_OK || text.len >= sizeof number)
        return 0;
    snprintf(number, sizeof number, SPAN_FMT, SPAN_ARG(text));
    return (double)strtoll(number, NULL, 10);
}

bool returning_is_expected(struct model *m)
{
    return time_of(m, FROM_SETTING) > 0;
}

// ---- Comparing two lists --------------------------------------------------------------------------------------------

struct side {
    struct list_iterator *it;
    struct list_element at;
    bool end;
    bool failed;
};

struct comparison {
    struct model *m;
    double from;
    double until;
    struct side theirs;
    struct side ours;
};

static void go_on(struct side *s)
{
    s->failed = list_iterator_next(s->it, &s->at, &s->end, NULL) != STATUS_OK;
    s->end = s->end || s->failed;
}

static void begin(struct model *m, struct side *s, const struct hash *head)
{
    *s = (struct side){.it = list_iterator_create(store_versions(m->store), head, 1, false)};
    go_on(s);
}

static bool may_return(const struct comparison *c, const struct list_element *element)
{
    struct hash_list metadata = {0};
    const struct identity *self = c->m->self;
    bool fits =
        element->timestamp >= c->from && element->timestamp <= c->until &&
        channel_entry_metadata(c->m, &element->entry, &metadata, NULL) == STATUS_OK &&
        trust_entry_fits(c->m, &element->creation_time, &metadata, &self->person, &self->person_keys.sign_public);
    hash_list_free(&metadata);
    return fits;
}

// Newest first, side by side. What theirs lacks is merged with it. From an entry that both have on they are the same.
static bool compare(struct comparison *c)
{
    for (size_t i = 0; i < LOOKED_AT_MAX && !c->theirs.end; i++) {
        struct list_key theirs = list_element_key(&c->theirs.at);
        struct list_key ours = c->ours.end ? theirs : list_element_key(&c->ours.at);
        int order = c->ours.end ? 1 : list_key_compare(&theirs, &ours);
        if (order == 0 && hash_eq(&c->theirs.at.entry, &c->ours.at.entry))
            return true;
        if (order > 0 && !may_return(c, &c->theirs.at))
            return false;
        if (order <= 0)
            go_on(&c->ours);
        if (order >= 0)
            go_on(&c->theirs);
    }
    return c->theirs.end && !c->theirs.failed;
}

bool returning_is_ours(struct model *m, const struct object *channel)
{
    struct channel now;
    struct hash head;
    struct comparison c = {.m = m, .from = time_of(m, FROM_SETTING), .until = time_of(m, UNTIL_SETTING)};
    if (c.from <= 0)
        return false;
    if (!value_get_hash(channel->value, "head", &head))
        return true; // that of a channel just begun says nothing
    enum status status = channel_get(m, &channel->id_hash, &now, NULL);
    if (status == STATUS_OK)
        begin(m, &c.ours, &now.head);
    else if (status == STATUS_NOT_FOUND) // all that we ever wrote in it is of that time
        c.ours.end = true;
    else
        return false;
    begin(m, &c.theirs, &head);
    bool fits = compare(&c);
    list_iterator_destroy(c.theirs.it);
    list_iterator_destroy(c.ours.it);
    return fits;
}
