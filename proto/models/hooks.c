// The table of reactions is asked by kind and type; what has no row goes to keeping.h. Each reaction runs in a
// savepoint, as a peer's odd object must not undo the job that stored it. Reactions store things themselves, which come
// here again: the store hands them out one after another (store_announce), so nothing here calls itself.
#include "models/hooks.h"

#include <string.h>

#include "base/log.h"
#include "models/channel.h"
#include "models/channel_confirm.h"
#include "models/confirm.h"
#include "models/contact.h"
#include "models/deletion.h"
#include "models/keeping.h"
#include "models/policy.h"
#include "models/sharing.h"
#include "models/topic.h"

static enum status confirm(struct model *m, const struct store_change *change, struct error *e)
{
    return hash_is_zero(&change->from) ? STATUS_OK : confirm_version(m, &change->id_hash, &change->from, e);
}

static enum status react_to_profile(struct model *m, const struct store_change *change, struct error *e)
{
    enum status status = contact_notice_profile(m, &change->id_hash, e);
    return status == STATUS_OK ? confirm(m, change, e) : status;
}

static enum status react_to_someone(struct model *m, const struct store_change *change, struct error *e)
{
    return contact_notice_someone(m, &change->id_hash, e);
}

static enum status react_to_channel(struct model *m, const struct store_change *change, struct error *e)
{
    bool is_ours = hash_is_zero(&change->from);
    enum status status = channel_register(m, &change->id_hash, is_ours, e);
    if (status == STATUS_OK && !is_ours && !sharing_is_own_node(m, &change->from))
        status = channel_confirm(m, &change->id_hash, e);
    if (status == STATUS_OK && !is_ours)
        status = topic_notice_returned(m, &change->id_hash, &change->from, e);
    return status == STATUS_OK ? topic_notice_channel(m, &change->id_hash, e) : status;
}

static enum status react_to_message(struct model *m, const struct store_change *change, struct error *e)
{
    return topic_notice_statement(m, &change->hash, &change->from, e);
}

static enum status react_to_topic(struct model *m, const struct store_change *change, struct error *e)
{
    return topic_notice(m, &change->hash, hash_is_zero(&change->from), e);
}

static enum status react_to_settings(struct model *m, const struct store_change *change, struct error *e)
{
    return deletion_notice(m, &change->id_hash, NULL, e);
}

static const struct {
    int kind;
    const char *type;
    enum status (*react)(struct model *m, const struct store_change *change, struct error *e); // before sharing
} reactions[] = {
    {STORE_CHANGE_HEAD, "Profile", react_to_profile},       {STORE_CHANGE_HEAD, "Someone", react_to_someone},
    {STORE_CHANGE_HEAD, "ChannelInfo", react_to_channel},   {STORE_CHANGE_HEAD, "Settings", react_to_settings},
    {STORE_CHANGE_OBJECT, "Topic", react_to_topic},         {STORE_CHANGE_OBJECT, "Signature", NULL},
    {STORE_CHANGE_OBJECT, "ChatMessage", react_to_message},
};

enum { ROWS = sizeof reactions / sizeof *reactions };

// Whatever has no row.
static bool is_kept(const struct store_change *change)
{
    if (change->kind == STORE_CHANGE_HEAD)
        return keeping_is_noticed(change->type);
    return change->content == STORE_OBJECT && hash_is_zero(&change->id_hash) && !hash_is_zero(&change->from) &&
           strncmp(change->type, "VersionNode", strlen("VersionNode")) != 0;
}

static enum status keep(struct model *m, const struct store_change *change, struct error *e)
{
    if (change->kind != STORE_CHANGE_HEAD)
        return keeping_notice_object(m, &change->hash, &change->from, e);
    enum status status = policy_is_application(span_of(change->type)) ? confirm(m, change, e) : STATUS_OK;
    return status == STATUS_OK ? keeping_notice(m, change->type, &change->id_hash, &change->from, e) : status;
}

static enum status react(struct model *m, const struct store_change *change, size_t row, struct error *e)
{
    enum status status = STATUS_OK;
    if (row == ROWS)
        return keep(m, change, e);
    if (reactions[row].react != NULL)
        status = reactions[row].react(m, change, e);
    if (status != STATUS_OK)
        return status;
    return change->kind == STORE_CHANGE_HEAD ? sharing_notice(m, change->type, &change->id_hash, e)
                                             : sharing_notice_object(m, change->type, &change->hash, e);
}

// A reaction that cannot be carried out, for instance to a peer's odd object, is undone alone and reported: it must not
// take what caused it along. Only a failing store does that.
static enum status react_alone(struct model *m, const struct store_change *change, size_t row, struct error *e)
{
    struct error why = {0};
    enum status status = store_savepoint(m->store, e);
    if (status != STATUS_OK)
        return status;
    status = react(m, change, row, &why);
    if (status == STATUS_OK)
        return store_release(m->store, e);
    store_undo(m->store);
    if (status == STATUS_IO || status == STATUS_FULL) {
        if (e != NULL)
            *e = why;
        return status;
    }
    LOG(LOG_WARN, "hook.failed", LOG_TEXT("type", change->type), LOG_HASH("hash", &change->hash),
        LOG_TEXT("code", why.code), LOG_TEXT("why", why.message));
    return STATUS_OK;
}

static enum status dispatch(struct store *s, const struct store_change *change, void *ctx, struct error *e)
{
    const struct hooks *h = ctx;
    size_t row = 0;
    if (change->kind == STORE_CHANGE_OBJECT && change->part)
        return STATUS_OK; // nobody said that it may be here for its own sake
    while (row < ROWS && ((int)change->kind != reactions[row].kind || strcmp(change->type, reactions[row].type) != 0))
        row++;
    if (row == ROWS && !is_kept(change))
        return STATUS_OK;
    struct model m = {
        .store = s, .self = h->actors.main, .arena = arena_create(), .now_ms = h->now_ms(), .fixed = h->fixed};
    m.self = actor_for(&h->actors, &m, change);
    enum status status = react_alone(&m, change, row, e);
    arena_destroy(m.arena);
    return status;
}

void hooks_install(struct store *s, struct hooks *h)
{
    store_set_hook(s, dispatch, h);
}
