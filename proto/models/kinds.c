// What the types of the model layer are to peers, and which objects are nobody's but ours.
#include "models/kinds.h"

#include "models/someone.h"

static const struct {
    const char *type;
    enum standing standing;
} standings[] = {
    {"Access", RIGHTS},
    {"IdAccess", RIGHTS},
    {"Group", RIGHTS},
    {"Chum", LOCAL},
    {"Instance", LOCAL},
    {"Leute", LOCAL},
    {"ChannelRegistry", LOCAL},
    {"TopicAppRegistry", LOCAL},
    {"LocalInstancesList", LOCAL},
    {"IoMRequestsRegistry", LOCAL},
    {"GroupProfile", LOCAL},
    {"Person", LOCAL},
    {"Recipe", OWN_NODE},
    {"Someone", OWN_NODE},
    {"Settings", OWN_NODE},
    {"ChannelInfo", RULED},
    {"Topic", RULED},
    {"Profile", RULED},
};

bool kinds_standing(struct span type, enum standing *out)
{
    for (size_t i = 0; i < sizeof standings / sizeof *standings; i++)
        if (span_eq_text(type, standings[i].type)) {
            *out = standings[i].standing;
            return true;
        }
    return false;
}

bool policy_is_application(struct span type)
{
    enum standing ignored;
    return !kinds_standing(type, &ignored);
}

bool kinds_is_me(struct model *m, const struct hash *id_hash)
{
    struct hash me;
    return someone_id_hash(m, SPAN(SOMEONE_ME), &me, NULL) == STATUS_OK && hash_eq(id_hash, &me);
}

bool policy_is_private(struct model *m, struct span type, const struct hash *id_hash)
{
    enum standing standing;
    if (!kinds_standing(type, &standing))
        return false;
    if (span_eq_text(type, "Person"))
        return false; // may be shown, though nobody's versions are taken in
    return standing == RIGHTS || standing == LOCAL || (span_eq_text(type, "Someone") && kinds_is_me(m, id_hash));
}
