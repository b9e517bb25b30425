// The reference says in words what it could not take, inside the reason of the close, and is read nowhere else. An
// object is only blamed when two sessions in a row ended at it, since the first may have ended at anything.
#include "node/refusals.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"

static const struct backoff pauses = {60 * 1000, 24 * 60 * 60 * 1000};

struct refusals {
    struct hash_map *persons;
};

struct record {          // of one person's node
    struct hash suspect; // what it was given last before it ended a session; zero = none
    bool withheld;       // something is
    uint64_t ended_at;
    unsigned offers; // of everything again: each comes later
};

struct refusals *refusals_create(void)
{
    struct refusals *r = mem_alloc(sizeof *r);
    r->persons = hash_map_create();
    return r;
}

void refusals_destroy(struct refusals *r)
{
    if (r == NULL)
        return;
    hash_map_free_values(r->persons);
    hash_map_destroy(r->persons);
    free(r);
}

static struct record *record_of(struct refusals *r, const struct hash *person)
{
    struct record *record = hash_map_get(r->persons, person);
    if (record == NULL) {
        record = mem_alloc(sizeof *record);
        *record = (struct record){0};
        hash_map_set(r->persons, person, record);
    }
    return record;
}

// Chum ended [2] with error: Error: OR-ET1: Type "Note" not found in recipes
static bool names_type(const char *message, struct refusal *out)
{
    static const char before[] = "OR-ET1: Type \"";
    const char *type = strstr(message, before);
    const char *end = type != NULL ? strchr(type + sizeof before - 1, '"') : NULL;
    if (end == NULL)
        return false;
    type += sizeof before - 1;
    size_t length = (size_t)(end - type);
    if (length == 0 || length >= sizeof out->type)
        return false;
    memcpy(out->type, type, length);
    return true;
}

bool refusals_judge(struct refusals *r, const struct hash *person, const struct hash *last, const struct error *why,
                    uint64_t now_ms, struct refusal *out)
{
    memset(out, 0, sizeof *out);
    bool is_refusal = strcmp(why->code, "PEER-CLOSED") == 0 && strncmp(why->message, "Chum ended [", 12) == 0 &&
                      strstr(why->message, "] with error: ") != NULL;
    if (!is_refusal)
        return false;
    struct record *record = record_of(r, person);
    bool again = !hash_is_zero(last) && hash_eq(last, &record->suspect);
    record->suspect = *last;
    record->ended_at = now_ms;
    if (!names_type(why->message, out) && !again)
        return false;
    out->object = *last;
    record->withheld = true;
    return true;
}

bool refusals_are_over(struct refusals *r, const struct hash *person, uint64_t now_ms)
{
    struct record *record = hash_map_get(r->persons, person);
    if (record == NULL || !record->withheld || now_ms - record->ended_at < backoff_ms(pauses, record->offers))
        return false;
    record->withheld = false;
    record->offers++;
    return true;
}
