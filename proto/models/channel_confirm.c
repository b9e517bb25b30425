// Whether a version of a channel lacks an entry is found by walking two lists side by side, newest first, and never by
// reading one to its end: the other side wrote it, and may have sorted it so that all of it would be read each time.
// Where READ_MAX does not do, the answer is "lacks nothing": then nothing is made, which costs a late entry at most
// until the next post.
#include "models/channel_confirm.h"

#include "data/versionnode.h"
#include "models/channel.h"

enum {
    OLDER_IN_A_ROW = 32, // lists are sorted, but for what the reference puts on top (MODELS.md 5.5)
    READ_MAX = 4096,     // of a list: whoever wrote it may have sorted it so that all of it would be read each time
};

// ---- Does a list lack an entry? -------------------------------------------------------------------------------------

struct list { // as far as it was read
    struct list_iterator *at;
    struct hash_map *entries;
    struct hash_map *creation_times;
    size_t read;
    bool end;
};

static void list_open(struct model *m, const struct hash *head, struct list *l)
{
    *l = (struct list){.at = list_iterator_create(store_versions(m->store), head, 1, false),
                       .entries = hash_map_create(),
                       .creation_times = hash_map_create()};
}

static void list_close(struct list *l)
{
    list_iterator_destroy(l->at);
    hash_map_destroy(l->entries);
    hash_map_destroy(l->creation_times);
}

// Reads until the element cannot come any more.
static enum status read_behind(struct list *l, const struct list_element *wanted, struct error *e)
{
    enum status status = STATUS_OK;
    size_t older = 0; // in a row
    while (status == STATUS_OK && !l->end && older < OLDER_IN_A_ROW && l->read < READ_MAX) {
        struct list_element element;
        status = list_iterator_next(l->at, &element, &l->end, e);
        if (status != STATUS_OK || l->end)
            break;
        l->read++;
        hash_map_add(l->entries, &element.entry);
        hash_map_add(l->creation_times, &element.creation_time);
        older = element.timestamp < wanted->timestamp ? older + 1 : 0;
    }
    return status;
}

// Entries of times that no clock shows are left behind on purpose.
static bool counts(const struct list_element *element)
{
    return element->timestamp <= CHANNEL_FAR_MS;
}

// Is there anything in the merged list that the other one lacks? Where that takes too long to say: no.
static enum status compare(struct list_iterator *merged, struct list *other, bool *lacks, struct error *e)
{
    enum status status = STATUS_OK;
    bool over = false;
    *lacks = false;
    for (size_t read = 0; status == STATUS_OK && !over && !*lacks && read < READ_MAX; read++) {
        struct list_element element;
        status = list_iterator_next(merged, &element, &over, e);
        if (status != STATUS_OK || over || !counts(&element))
            continue;
        status = read_behind(other, &element, e);
        over = hash_map_has(other->entries, &element.entry); // what follows is the same
        *lacks = other->read < READ_MAX && !hash_map_has(other->creation_times, &element.creation_time);
    }
    return status;
}

static enum status read_list(struct model *m, const struct hash *version, struct hash *head, struct error *e)
{
    struct value *info;
    *head = (struct hash){{0}};
    enum status status = model_read(m, version, "ChannelInfo", &info, e);
    if (status == STATUS_OK)
        value_get_hash(info, "head", head);
    return status;
}

static enum status lacks_some(struct model *m, const struct hash *version, const struct hash *merged, bool *lacks,
                              struct error *e)
{
    struct hash head;
    struct list other;
    enum status status = read_list(m, version, &head, e);
    if (status != STATUS_OK)
        return status;
    struct list_iterator *it = list_iterator_create(store_versions(m->store), merged, 1, false);
    list_open(m, &head, &other);
    status = compare(it, &other, lacks, e);
    list_close(&other);
    list_iterator_destroy(it);
    return status;
}

// ---- Confirming -----------------------------------------------------------------------------------------------------

// Does each of the versions that were merged lack something?
static enum status is_hidden(struct model *m, const struct versionnode *merge, bool *hidden, struct error *e)
{
    struct hash merged;
    enum status status = read_list(m, &merge->data, &merged, e);
    *hidden = true;
    for (size_t i = 0; status == STATUS_OK && *hidden && i < merge->before_count; i++) {
        struct versionnode part;
        status = versionnode_read(store_versions(m->store), &merge->before[i], m->arena, &part, e);
        if (status == STATUS_OK)
            *hidden = !hash_eq(&part.data, &merge->data);
        if (status == STATUS_OK && *hidden)
            status = lacks_some(m, &part.data, &merged, hidden, e);
    }
    return status;
}

enum status channel_confirm(struct model *m, const struct hash *id_hash, struct error *e)
{
    struct hash owner;
    struct hash head;
    struct versionnode node;
    struct version_result ignored;
    bool hidden = false;
    enum status status = channel_owner(m, id_hash, &owner);
    if (status != STATUS_OK || !hash_is_zero(&owner))
        return STATUS_OK;
    status = store_head(m->store, id_hash, &head, e);
    if (status == STATUS_OK)
        status = versionnode_read(store_versions(m->store), &head, m->arena, &node, e);
    if (status == STATUS_OK && node.kind == VERSIONNODE_MERGE)
        status = is_hidden(m, &node, &hidden, e);
    if (status == STATUS_OK && hidden)
        status = version_confirm(store_versions(m->store), id_hash, (double)m->now_ms, &ignored, e);
    return status;
}
