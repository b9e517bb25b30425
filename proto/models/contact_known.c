// Who is a contact: listed in Leute, none of our own identities on either node, and known to the identity that asks.
#include "models/apart.h"
#include "models/contact.h"
#include "models/group.h"
#include "models/leute.h"
#include "models/selves.h"
#include "models/someone.h"

enum status contact_persons(struct model *m, struct hash_list *persons, struct hash_list *someones, struct error *e)
{
    struct hash_list others = {0};
    enum status status = leute_others(m, &others, e);
    for (size_t i = 0; status == STATUS_OK && i < others.count; i++) {
        struct someone s;
        status = someone_load(m, &others.items[i], &s, e);
        for (size_t k = 0; status == STATUS_OK && k < s.count; k++) {
            const struct hash *person = &s.identities[k].person;
            if (hash_list_has(persons, person) || leute_is_me(m, person) || !apart_belongs(m, person) ||
                selves_is_elsewhere(m, person))
                continue;
            hash_list_add(persons, person);
            hash_list_add(someones, &s.id_hash);
        }
        someone_free(&s);
    }
    hash_list_free(&others);
    return status;
}

enum status contact_someone(struct model *m, const struct hash *person, struct hash *someone, struct error *e)
{
    enum status status = leute_someone_of(m, person, someone, e);
    if (status == STATUS_OK && (leute_is_me(m, person) || selves_is_elsewhere(m, person)))
        status = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s is ourselves, not a contact", hash_text(person).s);
    else if (status == STATUS_OK && !apart_belongs(m, person))
        status = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s is a contact of another identity here",
                           hash_text(person).s);
    return status;
}

bool contact_of_anybody(struct model *m, const struct hash *person)
{
    struct hash someone;
    return leute_someone_of(m, person, &someone, NULL) == STATUS_OK && !leute_is_me(m, person) &&
           !selves_is_elsewhere(m, person);
}

bool contact_exists(struct model *m, const struct hash *person)
{
    struct hash someone;
    return contact_someone(m, person, &someone, NULL) == STATUS_OK;
}

bool contact_is_disabled(struct model *m, const struct hash *person)
{
    return group_has(m, GROUP_DISABLED, person) || group_has(m, GROUP_BLACKLIST, person);
}
