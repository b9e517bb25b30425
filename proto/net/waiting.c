// IPv6 is counted by the first 64 bits, which is what one household or host has to choose from. Searching who is to
// give way is linear, in lists that are bounded and only when they are full.
#include "net/waiting.h"

#include <stdlib.h>

#include "crypto/sha256.h"

// ---- Addresses -----------------------------------------------------------------------------------------------------

static struct hash address_key(const struct sockaddr_storage *sa)
{
    if (sa->ss_family == AF_INET6) // a household's or a host's network: the first 64 bits
        return sha256((struct span){(const char *)&((const struct sockaddr_in6 *)sa)->sin6_addr, 8});
    return sha256((struct span){(const char *)&((const struct sockaddr_in *)sa)->sin_addr, 4});
}

struct address_use *address_use_take(struct hash_map *addresses, const struct sockaddr_storage *sa)
{
    struct hash key = address_key(sa);
    struct address_use *u = hash_map_get(addresses, &key);
    if (u == NULL) {
        u = mem_alloc(sizeof *u);
        u->key = key;
        hash_map_set(addresses, &key, u);
    }
    u->sockets++;
    return u;
}

void address_use_release(struct hash_map *addresses, struct address_use *u)
{
    if (--u->sockets != 0)
        return;
    hash_map_remove(addresses, &u->key);
    free(u);
}

// ---- Lists ---------------------------------------------------------------------------------------------------------

static void append(struct waiting_list *list, struct waiting *w)
{
    w->list = list;
    w->older = list->newest;
    w->newer = NULL;
    *(list->newest != NULL ? &list->newest->newer : &list->oldest) = w;
    list->newest = w;
    list->count++;
}

static void unlink_from_list(struct waiting *w)
{
    *(w->older != NULL ? &w->older->newer : &w->list->oldest) = w->newer;
    *(w->newer != NULL ? &w->newer->older : &w->list->newest) = w->older;
    w->list->count--;
    w->list = NULL;
}

void waiting_add(struct waiting_list *list, struct waiting *w, struct address_use *from)
{
    w->from = from;
    from->waiting++;
    append(list, w);
}

void waiting_move(struct waiting *w, struct waiting_list *to)
{
    unlink_from_list(w);
    append(to, w);
}

void waiting_remove(struct waiting *w)
{
    if (w->list == NULL)
        return;
    w->from->waiting--;
    unlink_from_list(w);
}

struct waiting *waiting_to_give_way(const struct waiting_list *first, const struct waiting_list *second)
{
    struct waiting *const oldest[] = {first->oldest, second->oldest};
    struct waiting *found = NULL;
    for (size_t i = 0; i < 2; i++) {
        for (struct waiting *w = oldest[i]; w != NULL; w = w->newer) {
            if (found == NULL || w->from->waiting > found->from->waiting)
                found = w;
        }
    }
    return found;
}
