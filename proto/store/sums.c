// The sums are vectors of two numbers without a carry between them: that is as good, and plain in SQL.
#include "store/sums.h"

#include <string.h>

#include "crypto/sha256.h"

static const uint64_t mask = (1ULL << 62) - 1;

static uint64_t number_at(const uint8_t *b)
{
    uint64_t n = 0;
    for (size_t i = 0; i < sizeof n; i++)
        n = n << 8 | b[i];
    return n & mask;
}

struct store_sum store_sum_of(const struct store_sum_key *key, const struct hash *hash, const struct hash *id_hash)
{
    char bytes[sizeof *key + 2 * HASH_SIZE];
    memcpy(bytes, key->b, sizeof *key);
    memcpy(bytes + sizeof *key, hash->b, HASH_SIZE);
    memcpy(bytes + sizeof *key + HASH_SIZE, id_hash->b, HASH_SIZE);
    const struct hash h = sha256((struct span){bytes, sizeof bytes});
    return (struct store_sum){1, number_at(h.b), number_at(h.b + 8)};
}

unsigned store_sum_leaf(const struct hash *hash, const struct hash *id_hash)
{
    const struct hash *name = hash_is_zero(hash) ? id_hash : hash;
    return (unsigned)name->b[0] << 8 | name->b[1];
}

void store_sum_add(struct store_sum *to, const struct store_sum *more)
{
    to->count += more->count;
    to->low = (to->low + more->low) & mask;
    to->high = (to->high + more->high) & mask;
}

bool store_sum_eq(const struct store_sum *a, const struct store_sum *b)
{
    return a->count == b->count && a->low == b->low && a->high == b->high;
}

unsigned store_range_size(unsigned digits)
{
    return 1U << 4 * (STORE_SUM_DIGITS - digits);
}

struct store_range store_range_part(struct store_range r, unsigned i)
{
    return (struct store_range){r.digits + 1, r.first + i * store_range_size(r.digits + 1)};
}
