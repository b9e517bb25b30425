// Only versions that somebody wrote are listed (version_list leaves merges out), so a head that is a merge stands in no
// row. Times and depths are clamped, since they come from peers and are no numbers that a program may calculate with.
#include "models/history.h"

#include <string.h>

#include "base/clock.h"

static enum status describe(struct model *m, const struct hash *node, struct history_version *out, struct error *e)
{
    struct object o;
    double number;
    *out = (struct history_version){.node = *node};
    enum status status = store_get_object(m->store, node, m->arena, &o, e);
    if (status != STATUS_OK)
        return status;
    size_t len = o.recipe->name.len < sizeof out->node_type ? o.recipe->name.len : sizeof out->node_type - 1;
    memcpy(out->node_type, o.recipe->name.ptr, len);
    value_get_hash(o.value, "data", &out->hash);
    if (value_get_number(o.value, "depth", &number))
        out->depth = count_clamp(number);
    if (value_get_number(o.value, "creationTime", &number))
        out->created_ms = time_clamp(number);
    return STATUS_OK;
}

enum status history_of(struct model *m, const struct hash *id_hash, struct history *out, struct error *e)
{
    struct hash head;
    struct hash_list nodes = {0};
    *out = (struct history){0};
    enum status status = store_head(m->store, id_hash, &head, e);
    if (status == STATUS_OK)
        status = version_list(store_versions(m->store), &head, &nodes, e);
    out->items = arena_alloc(m->arena, (nodes.count + 1) * sizeof *out->items);
    for (size_t i = nodes.count; i-- > 0 && status == STATUS_OK;)
        status = describe(m, &nodes.items[i], &out->items[out->count++], e);
    hash_list_free(&nodes);
    return status;
}
