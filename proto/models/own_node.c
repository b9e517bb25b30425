// Who our own other node is, as the supervisor told us. All that grants, judges or restores asks here.
#include "models/own_node.h"

#define OWN_NODE_SETTING "sharing.ownNode"
#define OWN_KEY_SETTING "sharing.ownKey"

enum status sharing_own_node(struct model *m, struct hash *person, struct error *e)
{
    struct span text;
    enum status status = store_setting_get(m->store, OWN_NODE_SETTING, m->arena, &text, e);
    if (status == STATUS_OK && !hash_parse(text, person))
        status = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no other own node");
    return status;
}

bool sharing_is_own_node(struct model *m, const struct hash *person)
{
    struct hash own;
    return sharing_own_node(m, &own, NULL) == STATUS_OK && hash_eq(person, &own);
}

bool sharing_own_key(struct model *m, struct public_key *instance_key)
{
    struct span text;
    return store_setting_get(m->store, OWN_KEY_SETTING, m->arena, &text, NULL) == STATUS_OK &&
           hex_decode(text, instance_key->b, BOX_KEY);
}

enum status own_node_set_key(struct model *m, const struct public_key *instance_key, struct error *e)
{
    char hex[2 * BOX_KEY + 1];
    hex_encode(instance_key->b, BOX_KEY, hex);
    return store_setting_set(m->store, OWN_KEY_SETTING, span_of(hex), e);
}

enum status own_node_set_person(struct model *m, const struct hash *person, struct error *e)
{
    return store_setting_set(m->store, OWN_NODE_SETTING, span_of(hash_text(person).s), e);
}
