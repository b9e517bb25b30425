// A confirmation must not be answered with one, or two nodes would write to each other for ever. What a contact sends
// therefore is confirmed only if the merge holds something that neither side had: after the first one all have it. And
// a merge that the other own node made is its to confirm, for only there it is known whom it was made with.
#include "models/confirm.h"

#include "base/clock.h"
#include "data/versionnode.h"
#include "models/sharing.h"

static enum status is_seen(struct model *m, const struct versionnode *merge, bool by_history, bool *seen,
                           struct error *e)
{
    enum status status = STATUS_OK;
    double depth = 0;
    bool foreign = false; // a part without a history: what a contact sent, which its own node puts in its place
    struct versionnode part;
    struct versionnode holds = {.kind = VERSIONNODE_MERGE};
    for (size_t i = 0; status == STATUS_OK && i < merge->before_count; i++) {
        status = versionnode_read(store_versions(m->store), &merge->before[i], m->arena, &part, e);
        if (status != STATUS_OK)
            break;
        depth = part.depth > depth ? part.depth : depth;
        foreign = foreign || part.kind == VERSIONNODE_EDGE;
        if (part.kind != VERSIONNODE_MERGE && hash_eq(&part.data, &merge->data))
            holds = part;
    }
    *seen = (by_history && foreign) ||
            (holds.kind != VERSIONNODE_MERGE &&
             (!by_history || (holds.depth >= depth && holds.creation_time >= merge->creation_time)));
    return status;
}

enum status confirm_version(struct model *m, const struct hash *id_hash, const struct hash *from, struct error *e)
{
    struct hash head;
    struct versionnode node;
    struct version_result ignored;
    bool seen = true;
    bool from_own = sharing_is_own_node(m, from);
    enum status status = store_head(m->store, id_hash, &head, e);
    if (status == STATUS_OK)
        status = versionnode_read(store_versions(m->store), &head, m->arena, &node, e);
    if (status == STATUS_OK && node.kind == VERSIONNODE_MERGE && !(from_own && store_came_from(m->store, &head, from)))
        status = is_seen(m, &node, from_own, &seen, e);
    if (status == STATUS_OK && !seen && time_is_valid(node.creation_time + 1))
        status = version_confirm(store_versions(m->store), id_hash, node.creation_time + 1, &ignored, e);
    return status;
}
