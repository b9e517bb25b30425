// Jean-Philippe Aumasson and Daniel J. Bernstein: SipHash, a fast short-input PRF. One round per block and three at the
// end, which is what hash tables want of it. Our own, because base links no cryptographic library.
//
// The key is drawn by a constructor: no table exists earlier, no thread has to ask whether it is there, and the nodes'
// sandbox, which could be in the way, comes later. jansson's tables get their seed at the same moment, since it would
// fall back to time and process number where /dev/urandom cannot be opened.
#include "base/siphash.h"

#include <endian.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static uint8_t process_key[SIPHASH_KEY];

__attribute__((constructor)) static void draw_keys(void)
{
    uint32_t seed;
    if (getrandom(process_key, sizeof process_key, 0) != sizeof process_key ||
        getrandom(&seed, sizeof seed, 0) != sizeof seed) {
        fputs("tandem: the system gives no random numbers\n", stderr);
        abort();
    }
    json_object_seed(seed | 1); // 0 would mean that it looks for one itself
}

static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static inline void absorb(uint64_t v[4], uint64_t block)
{
    v[3] ^= block;
    mix(v);
    v[0] ^= block;
}

static uint64_t little_endian(const void *bytes, size_t len)
{
    const uint8_t *b = bytes;
    uint64_t x = 0;
    for (size_t i = 0; i < len; i++)
        x |= (uint64_t)b[i] << (8 * i);
    return x;
}

static uint64_t block_at(const void *bytes) // one load
{
    uint64_t x;
    memcpy(&x, bytes, sizeof x);
    return le64toh(x);
}

uint64_t siphash_with(const uint8_t key[SIPHASH_KEY], struct span bytes)
{
    uint64_t k0 = block_at(key);
    uint64_t k1 = block_at(key + 8);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                     k1 ^ 0x7465646279746573u};
    size_t whole = bytes.len & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8)
        absorb(v, block_at(bytes.ptr + i));
    uint64_t rest = whole != bytes.len ? little_endian(bytes.ptr + whole, bytes.len - whole) : 0;
    absorb(v, (uint64_t)bytes.len << 56 | rest);
    v[2] ^= 0xff;
    mix(v);
    mix(v);
    mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t siphash(struct span bytes)
{
    return siphash_with(process_key, bytes);
}
