// Inside proto/net only: the sockets of a listener whose peers have yet to prove who they are, by arrival and address.
// When they become too many, the one to give way is the oldest of the address that has most of them: whoever opens many
// displaces its own.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/hash.h"

struct address_use { // an address sockets come from; exists as long as one of them does
    struct hash key;
    size_t sockets, waiting;
};

struct waiting_list;

struct waiting { // part of a socket's object; zero-initialised = not waiting
    struct waiting *older, *newer;
    struct waiting_list *list; // NULL: not waiting
    struct address_use *from;
};

struct waiting_list { // zero-initialised = empty
    struct waiting *oldest, *newest;
    size_t count;
};

// Counts a socket that is being accepted at its address; released when it is closed.
struct address_use *address_use_take(struct hash_map *addresses, const struct sockaddr_storage *sa);
void address_use_release(struct hash_map *addresses, struct address_use *u);

void waiting_add(struct waiting_list *list, struct waiting *w, struct address_use *from); // as the newest
void waiting_move(struct waiting *w, struct waiting_list *to);                            // likewise
void waiting_remove(struct waiting *w);                                                   // may be called again

// NULL if both lists are empty. Those of the first list are older.
struct waiting *waiting_to_give_way(const struct waiting_list *first, const struct waiting_list *second);
