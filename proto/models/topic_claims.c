// Which conversation a channel is for: what statements about members claim by its id and, of a channel of ours, what
// was noted when it was made. It is noted in Settings, so that a node that is made again, and was given everything
// back, knows it too.
//
// The channels of an epoch have the topic's id, from the second one on with "~" and its number behind it. Where a
// member has a channel of that id for something else — its own, or another conversation whose creator chose the same id
// — it writes into one with "~x" and the beginning of the topic's channel in between, so that nobody reads what was not
// said to him. Peers that know no statements do not show those.
#include <string.h>

#include "models/origin.h"
#include "models/settings.h"
#include "models/topic_internal.h"

#define OUTLET "topic.outlet."

enum { MARK = 16 }; // digits of the topic's channel

// ---- By their ids ---------------------------------------------------------------------------------------------------

struct span topic_channel_text(struct model *m, struct span id, const struct hash *topic, unsigned epoch, bool apart)
{
    struct buf text = {0};
    buf_add_span(&text, id);
    if (apart)
        buf_printf(&text, "~x%.*s", MARK, hash_text(topic).s);
    if (epoch != 0)
        buf_printf(&text, "~%u", epoch);
    struct span kept = arena_copy(m->arena, buf_span(&text));
    buf_free(&text);
    return kept;
}

// Cuts "~" and what follows off a text. false: there is none.
static bool cut_suffix(struct span *text)
{
    const char *at = text->len != 0 ? memrchr(text->ptr, '~', text->len) : NULL;
    if (at == NULL || at == text->ptr)
        return false;
    text->len = (size_t)(at - text->ptr);
    return true;
}

// A statement counts the channel if the id is one that its members write under.
static bool find_epoch(struct model *m, const struct members *s, struct span channel_id, unsigned *epoch)
{
    for (*epoch = 0; *epoch <= s->epoch; ++*epoch)
        for (int apart = 0; apart <= 1; apart++)
            if (span_eq(topic_channel_text(m, s->id, &s->channel, *epoch, apart == 1), channel_id))
                return true;
    return false;
}

static void add_claims(struct model *m, struct span id, struct span channel_id, const struct hash *owner,
                       struct topic_claims *out)
{
    struct topics topics;
    if (topic_with_id(m, id, &topics, NULL) != STATUS_OK)
        return;
    for (size_t i = 0; i < topics.count && out->count < TOPIC_CLAIMS; i++) {
        const struct members *s = topics.items[i].members;
        if (s != NULL && members_find(s, owner) != NULL && find_epoch(m, s, channel_id, &out->epochs[out->count]))
            out->items[out->count++] = *s;
    }
}

void topic_claims_of(struct model *m, struct span channel_id, const struct hash *owner, struct topic_claims *out)
{
    struct span id = channel_id;
    out->count = 0;
    add_claims(m, id, channel_id, owner, out);
    for (int i = 0; i < 2 && cut_suffix(&id); i++)
        add_claims(m, id, channel_id, owner, out);
}

bool topic_introduced_key(struct model *m, const struct hash *channel, const struct hash *person,
                          struct sign_public *key)
{
    struct channel c;
    struct topic_claims claims;
    if (channel_get(m, channel, &c, NULL) != STATUS_OK || hash_is_zero(&c.owner))
        return false;
    topic_claims_of(m, c.id, &c.owner, &claims);
    for (size_t i = 0; i < claims.count; i++)
        if (members_introduced_key(m, &claims.items[i], person, key))
            return true;
    return false;
}

// ---- Of ours --------------------------------------------------------------------------------------------------------

static struct span outlet_name(struct model *m, const struct hash *channel)
{
    return arena_printf(m->arena, OUTLET "%s", hash_text(channel).s);
}

bool topic_is_outlet(struct model *m, const struct hash *channel, const struct hash *topic)
{
    struct span text;
    struct hash found;
    return hash_eq(channel, topic) ||
           (settings_get(m, outlet_name(m, channel), SPAN("topic"), &text, NULL) == STATUS_OK &&
            hash_parse(text, &found) && hash_eq(&found, topic));
}

enum status topic_note_outlet(struct model *m, const struct hash *channel, const struct hash *topic, struct error *e)
{
    if (topic_is_outlet(m, channel, topic))
        return STATUS_OK;
    return settings_set(m, outlet_name(m, channel), SPAN("topic"), span_of(hash_text(topic).s), e);
}

enum status topic_notice_returned(struct model *m, const struct hash *channel, const struct hash *from, struct error *e)
{
    struct channel c;
    struct topic_claims claims;
    if (!origin_is(m, channel, from) || channel_get(m, channel, &c, NULL) != STATUS_OK ||
        !hash_eq(&c.owner, &m->self->person))
        return STATUS_OK;
    topic_claims_of(m, c.id, &c.owner, &claims);
    return claims.count == 1 ? topic_note_outlet(m, channel, &claims.items[0].channel, e) : STATUS_OK;
}
