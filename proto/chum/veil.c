// A place is written as another number by four rounds of a Feistel network, whose key is made of the epoch: a random
// number that no contact is ever told. What stands for the epoch is made of that key.
#include "chum/veil.h"

#include <string.h>

#include "crypto/sha256.h"

enum { HALF = 31, ROUNDS = 4 };
static const uint64_t half_mask = (1ULL << HALF) - 1;

static struct hash made_of(const struct hash *key, char what, uint64_t value)
{
    char bytes[HASH_SIZE + 1 + sizeof value];
    memcpy(bytes, key->b, HASH_SIZE);
    bytes[HASH_SIZE] = what;
    for (size_t i = 0; i < sizeof value; i++)
        bytes[HASH_SIZE + 1 + i] = (char)(value >> (8 * i) & 0xff);
    return sha256((struct span){bytes, sizeof bytes});
}

static uint64_t number_of(const struct hash *h)
{
    uint64_t n = 0;
    for (size_t i = 0; i < sizeof n; i++)
        n = n << 8 | h->b[i];
    return n >> 1;
}

static uint64_t mix(const struct hash *key, int round, uint64_t half)
{
    const struct hash h = made_of(key, (char)('0' + round), half);
    return number_of(&h) & half_mask;
}

static uint64_t forth(const struct hash *key, uint64_t n)
{
    uint64_t left = n >> HALF;
    uint64_t right = n & half_mask;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t next = left ^ mix(key, i, right);
        left = right;
        right = next;
    }
    return left << HALF | right;
}

static uint64_t back(const struct hash *key, uint64_t n)
{
    uint64_t left = n >> HALF;
    uint64_t right = n & half_mask;
    for (int i = ROUNDS; i-- > 0;) {
        uint64_t before = right ^ mix(key, i, left);
        right = left;
        left = before;
    }
    return left << HALF | right;
}

static int64_t name_of(const struct hash *key)
{
    const struct hash h = made_of(key, 'e', 0);
    return (int64_t)number_of(&h);
}

// 0 stands for itself, so that what would become it, or came from it, goes once more.
struct chum_cursor chum_veil(const struct hash *person, const struct chum_cursor *plain)
{
    const struct hash key = made_of(person, 'k', (uint64_t)plain->epoch);
    struct chum_cursor out = {name_of(&key), plain->place};
    if (plain->place <= 0)
        return out;
    do
        out.place = (int64_t)forth(&key, (uint64_t)out.place);
    while (out.place == 0);
    return out;
}

bool chum_unveil(const struct hash *person, int64_t epoch, struct chum_cursor *cursor)
{
    const struct hash key = made_of(person, 'k', (uint64_t)epoch);
    if (cursor->epoch != name_of(&key) || cursor->place >> (2 * HALF) != 0)
        return false;
    cursor->epoch = epoch;
    if (cursor->place == 0)
        return true;
    do
        cursor->place = (int64_t)back(&key, (uint64_t)cursor->place);
    while (cursor->place == 0);
    return true;
}
