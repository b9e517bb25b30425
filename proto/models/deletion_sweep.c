// How the bytes of what is deleted go: of messages that nobody waits for and that are not said elsewhere too, with what
// is below them only.
#include "models/channel.h"
#include "models/deletion.h"
#include "models/own_node.h"
#include "models/reach.h"
#include "store/delivery.h"

// The other own node has the list too and does not need them.
static bool somebody_waits(struct model *m, const struct hash *id)
{
    struct hash own = {{0}};
    struct store_deliveries rows;
    (void)sharing_own_node(m, &own, NULL);
    bool waits = store_delivery_of(m->store, m->arena, id, &rows, NULL) != STATUS_OK;
    for (size_t i = 0; !waits && i < rows.count; i++)
        waits = rows.items[i].state == DELIVERY_SENT && !hash_eq(&rows.items[i].person, &own);
    return waits;
}

static bool somebody_waits_for(struct model *m, const struct hash *data)
{
    struct hash_list above = {0};
    bool waits = store_referrers(m->store, data, SPAN("CreationTime"), false, &above, NULL) != STATUS_OK;
    for (size_t i = 0; i < above.count && !waits; i++)
        waits = somebody_waits(m, &above.items[i]);
    hash_list_free(&above);
    return waits;
}

static enum status free_files(struct model *m, const struct hash_list *files, struct error *e)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < files->count; i++)
        if (!reach_is_held(m, &files->items[i]))
            status = store_delete(m->store, &files->items[i], e);
    return status;
}

static enum status free_message(struct model *m, const struct hash *data, struct error *e)
{
    struct hash_list files = {0};
    reach_files(m, data, &files);
    enum status status = store_delete(m->store, data, e);
    if (status == STATUS_OK)
        status = free_files(m, &files, e);
    hash_list_free(&files);
    return status;
}

// Hides the next slice of what is deleted with its channel; where it goes on is kept.
static enum status sweep_channel(struct model *m, const struct hash *channel, struct error *e)
{
    struct span text;
    struct hash last;
    const struct store_setting_name name = store_setting_about(DELETION_AT, channel);
    bool begun = store_setting_get(m->store, name.s, m->arena, &text, NULL) == STATUS_OK && hash_parse(text, &last);
    struct channel_entries entries;
    const struct channel_query query = {.channels = channel,
                                        .channel_count = 1,
                                        .limit = DELETION_SLICE,
                                        .before = begun ? &last : NULL,
                                        .to = deletion_until(m, channel),
                                        .type = "ChatMessage",
                                        .unverified = true,
                                        .deleted = true};
    enum status status = channel_read(m, &query, &entries, e);
    for (size_t i = 0; status == STATUS_OK && i < entries.count; i++)
        status = store_hide(m->store, &entries.items[i].creation_time, NULL, e);
    if (status != STATUS_OK)
        return status;
    struct hash_text at = {""};
    if (entries.more)
        at = hash_text(&entries.items[entries.count - 1].creation_time);
    status = store_setting_set(m->store, name.s, span_of(at.s), e);
    return status == STATUS_OK && !entries.more ? store_hidden_done(m->store, channel, e) : status;
}

static enum status sweep_one(struct model *m, const struct hash *id, struct deletion_work *work, struct error *e)
{
    struct hash data;
    struct channel ignored;
    if (deletion_until(m, id) > 0 && channel_get(m, id, &ignored, NULL) == STATUS_OK) {
        work->changed = true;
        return sweep_channel(m, id, e);
    }
    if (reach_message(m, id, &data, NULL) != STATUS_OK)
        return STATUS_OK; // it may come
    bool goes = !reach_is_needed(m, &data, NULL);
    bool here = !store_is_deleted(m->store, &data);
    if (goes && here && somebody_waits_for(m, &data))
        return STATUS_OK;
    enum status status = goes ? free_message(m, &data, e) : STATUS_OK; // a gap of others becomes ours
    work->freed += status == STATUS_OK && goes && here;
    work->changed = true;
    return status == STATUS_OK ? store_hidden_done(m->store, id, e) : status;
}

enum status deletion_sweep(struct model *m, struct hash *at, bool *more, struct deletion_work *work, struct error *e)
{
    struct hash_list ids = {0};
    enum status status = store_hidden_kept(m->store, at, DELETION_SLICE, &ids, e);
    for (size_t i = 0; status == STATUS_OK && i < ids.count; i++)
        status = sweep_one(m, &ids.items[i], work, e);
    *more = status == STATUS_OK && ids.count == DELETION_SLICE;
    if (ids.count != 0)
        *at = ids.items[ids.count - 1];
    hash_list_free(&ids);
    return status;
}
