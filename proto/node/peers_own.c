// Who is the other own node, and what it changes for everybody else. A name alone says nothing: anybody may call itself
// so, and the rights of an own node go with the instance key that the supervisor told (peers_is_own).
#include "node/peers_internal.h"

bool peers_names_own(const struct peers *p, const struct hash *person)
{
    return !hash_is_zero(&p->own.peer.person) && hash_eq(&p->own.peer.person, person);
}

bool peers_is_own(const struct peers *p, const struct hash *person, const struct public_key *instance_key)
{
    return peers_names_own(p, person) && p->own.peer.pinned && public_key_eq(&p->own.peer.instance_key, instance_key);
}

bool peers_may_pair(const struct peers *p)
{
    return p->settings.pairs || !p->own.paired || p->own.giving;
}
