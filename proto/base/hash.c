// Hashes as text, the map keyed by them, and lists. Parsing looks at all digits before it decides, since reading an
// object parses many and nearly all are good.
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"

// The value of each hex digit plus one; 0 = no digit.
static const uint8_t lower_digits[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};
static const uint8_t all_digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

// In one pass, as reading an object parses many: what is no digit makes `bits` exceed that of a digit.
bool hash_parse(struct span text, struct hash *out)
{
    const uint8_t *p = (const uint8_t *)text.ptr;
    struct hash hash;
    unsigned bits = 0;
    if (text.len != 2 * HASH_SIZE)
        return false;
    for (size_t i = 0; i < HASH_SIZE; i++) {
        unsigned high = lower_digits[p[2 * i]] - 1u;
        unsigned low = lower_digits[p[2 * i + 1]] - 1u;
        bits |= high | low;
        hash.b[i] = (uint8_t)(high << 4 | low);
    }
    if (bits > 15)
        return false;
    *out = hash;
    return true;
}

bool hex_decode(struct span text, void *out, size_t out_len)
{
    const uint8_t *p = (const uint8_t *)text.ptr;
    uint8_t *bytes = out;
    if (text.len != 2 * out_len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (all_digits[p[i]] == 0)
            return false;
    }
    for (size_t i = 0; i < out_len; i++)
        bytes[i] = (uint8_t)((all_digits[p[2 * i]] - 1) << 4 | (all_digits[p[2 * i + 1]] - 1));
    return true;
}

void hex_encode(const void *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *b = bytes;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[b[i] >> 4];
        out[2 * i + 1] = digits[b[i] & 15];
    }
    out[2 * len] = '\0';
}

struct hash_text hash_text(const struct hash *h)
{
    struct hash_text t;
    hex_encode(h->b, HASH_SIZE, t.s);
    return t;
}

bool hash_eq(const struct hash *a, const struct hash *b)
{
    return memcmp(a->b, b->b, HASH_SIZE) == 0;
}

bool hash_is_zero(const struct hash *h)
{
    static const struct hash zero;
    return hash_eq(h, &zero);
}

int hash_compare(const struct hash *a, const struct hash *b)
{
    return memcmp(a->b, b->b, HASH_SIZE);
}

// Open addressing with linear probing; removal shifts the cluster back. Peers choose keys, so that a key's home slot
// comes from a keyed hash of it: nobody outside can name keys that meet.
struct slot {
    struct hash key;
    void *value; // NULL = free
};

struct hash_map {
    struct slot *slots;
    size_t mask; // slots - 1; 0 while slots is NULL
    size_t count;
};

static char present; // the value of keys added without one

struct hash_map *hash_map_create(void)
{
    return mem_alloc(sizeof(struct hash_map));
}

void hash_map_destroy(struct hash_map *m)
{
    if (m == NULL)
        return;
    free(m->slots);
    free(m);
}

static size_t home(const struct hash_map *m, const struct hash *key)
{
    return (size_t)siphash((struct span){(const char *)key->b, HASH_SIZE}) & m->mask;
}

static struct slot *find(const struct hash_map *m, const struct hash *key)
{
    size_t i = home(m, key);
    while (m->slots[i].value != NULL && !hash_eq(&m->slots[i].key, key))
        i = (i + 1) & m->mask;
    return &m->slots[i];
}

static void grow(struct hash_map *m)
{
    if (m->slots != NULL && m->count * 4 < (m->mask + 1) * 3)
        return;
    struct slot *old = m->slots;
    size_t old_size = old != NULL ? m->mask + 1 : 0;
    size_t size = old_size != 0 ? old_size * 2 : 16;
    m->slots = mem_array(size, sizeof *m->slots);
    m->mask = size - 1;
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].value != NULL)
            *find(m, &old[i].key) = old[i];
    }
    free(old);
}

void hash_map_set(struct hash_map *m, const struct hash *key, void *value)
{
    grow(m);
    struct slot *s = find(m, key);
    m->count += s->value == NULL;
    s->key = *key;
    s->value = value;
}

bool hash_map_add(struct hash_map *m, const struct hash *key)
{
    if (hash_map_has(m, key))
        return false;
    hash_map_set(m, key, &present);
    return true;
}

bool hash_map_has(const struct hash_map *m, const struct hash *key)
{
    return m->slots != NULL && find(m, key)->value != NULL;
}

void *hash_map_get(const struct hash_map *m, const struct hash *key)
{
    return m->slots != NULL ? find(m, key)->value : NULL;
}

bool hash_map_remove(struct hash_map *m, const struct hash *key)
{
    if (m->slots == NULL)
        return false;
    struct slot *s = find(m, key);
    if (s->value == NULL)
        return false;
    size_t hole = (size_t)(s - m->slots);
    for (size_t i = (hole + 1) & m->mask; m->slots[i].value != NULL; i = (i + 1) & m->mask) {
        size_t want = home(m, &m->slots[i].key);
        if (((i - want) & m->mask) >= ((i - hole) & m->mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole].value = NULL;
    m->count--;
    return true;
}

size_t hash_map_count(const struct hash_map *m)
{
    return m->count;
}

size_t hash_map_longest_way(const struct hash_map *m)
{
    size_t longest = 0;
    for (size_t i = 0; m->slots != NULL && i <= m->mask; i++) {
        size_t way = m->slots[i].value != NULL ? ((i - home(m, &m->slots[i].key)) & m->mask) + 1 : 0;
        longest = way > longest ? way : longest;
    }
    return longest;
}

void hash_map_clear(struct hash_map *m)
{
    free(m->slots);
    memset(m, 0, sizeof *m);
}

void hash_map_free_values(struct hash_map *m)
{
    size_t cursor = 0;
    void *value;
    while (hash_map_next(m, &cursor, NULL, &value))
        free(value);
    hash_map_clear(m);
}

bool hash_map_next(const struct hash_map *m, size_t *cursor, struct hash *key, void **value)
{
    for (; m->slots != NULL && *cursor <= m->mask; (*cursor)++) {
        const struct slot *s = &m->slots[*cursor];
        if (s->value == NULL)
            continue;
        if (key != NULL)
            *key = s->key;
        if (value != NULL)
            *value = s->value;
        (*cursor)++;
        return true;
    }
    return false;
}

void hash_list_add(struct hash_list *l, const struct hash *h)
{
    if (l->count == l->cap) {
        l->cap = l->cap != 0 ? l->cap * 2 : 8;
        l->items = mem_resize(l->items, l->cap * sizeof *l->items);
    }
    l->items[l->count++] = *h;
}

bool hash_list_add_missing(struct hash_list *l, const struct hash *items, size_t count)
{
    size_t before = l->count;
    for (size_t i = 0; i < count; i++)
        if (!hash_list_has(l, &items[i]))
            hash_list_add(l, &items[i]);
    return l->count != before;
}

bool hash_list_has(const struct hash_list *l, const struct hash *h)
{
    for (size_t i = 0; i < l->count; i++) {
        if (hash_eq(&l->items[i], h))
            return true;
    }
    return false;
}

void hash_list_free(struct hash_list *l)
{
    free(l->items);
    memset(l, 0, sizeof *l);
}
