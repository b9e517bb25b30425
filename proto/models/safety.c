// The text is the beginning of a hash over the keys of both sides, the side with the smaller instance key first, so
// that both get the same. PURPOSE is part of what is hashed: changed, no two versions of this program would show the
// same text.
#include "models/safety.h"

#include <stdio.h>
#include <string.h>

#include "crypto/sha256.h"
#include "models/identity.h"

static const char PURPOSE[] = "tandem safety text 1";

struct safety_side safety_side_of(const struct identity *i)
{
    return (struct safety_side){
        .person_public = i->person_keys.public_key,
        .instance_public = i->instance_keys.public_key,
        .person_sign_public = i->person_keys.sign_public,
        .instance_sign_public = i->instance_keys.sign_public,
    };
}

static void add(struct buf *b, const struct safety_side *side)
{
    buf_add(b, side->person_public.b, BOX_KEY);
    buf_add(b, side->person_sign_public.b, SIGN_PUBLIC);
    buf_add(b, side->instance_public.b, BOX_KEY);
    buf_add(b, side->instance_sign_public.b, SIGN_PUBLIC);
}

struct safety_text safety_text(const struct safety_side *one, const struct safety_side *other)
{
    struct safety_text text = {{0}};
    struct buf keys = {0};
    bool swap = memcmp(one->instance_public.b, other->instance_public.b, BOX_KEY) > 0;
    buf_add_text(&keys, PURPOSE);
    add(&keys, swap ? other : one);
    add(&keys, swap ? one : other);
    struct hash h = sha256(buf_span(&keys));
    buf_free(&keys);
    for (size_t i = 0; i < SAFETY_GROUPS; i++) {
        const uint8_t *b = h.b + 4 * i;
        uint32_t number = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        char group[SAFETY_DIGITS + 2];
        snprintf(group, sizeof group, "%05u", number % 100000);
        memcpy(text.s + i * (SAFETY_DIGITS + 1), group, SAFETY_DIGITS);
        text.s[i * (SAFETY_DIGITS + 1) + SAFETY_DIGITS] = i + 1 < SAFETY_GROUPS ? ' ' : '\0';
    }
    return text;
}
