// How things stand with the peers, for those who are no part of them.
#include "base/invariant.h"
#include "node/peers_internal.h"

json_t *peers_own_state(const struct peers *p)
{
    bool importing = false;
    bool exporting = false;
    syncs_with(p->syncs, &p->own.peer.person, &importing, &exporting);
    return json_pack("{s:b, s:b, s:b, s:b}", "paired", (int)p->own.paired, "importing", (int)importing, "exporting",
                     (int)exporting, "restoring", (int)p->own.restoring);
}

bool peers_are_idle(const struct peers *p)
{
    return syncs_are_idle(p->syncs) && p->diallings == NULL;
}

bool peers_connected(const struct peers *p, const struct hash *self, const struct hash *person)
{
    return syncs_between(p->syncs, self, person);
}

static bool is_between(struct peers *p, const struct conn *c, const struct hash *self, const struct hash *person)
{
    return hash_eq(&conn_peer(c)->person_id, person) &&
           (self == NULL || hash_eq(&peers_local(p, conn_local(c))->self->person, self));
}

void peers_close_person(struct peers *p, const struct hash *self, const struct hash *person, const char *reason)
{
    for (struct connection *l = p->connections.open; l != NULL;) {
        struct connection *next = l->next;
        if (l->conn != NULL && is_between(p, l->conn, self, person))
            conn_wind_up(l->conn, reason);
        l = next;
    }
}

void peers_follow(struct peers *p, const struct hash *person)
{
    syncs_follow(p->syncs, person);
}
