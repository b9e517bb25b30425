// Whether an entry is by whom it says (MODELS.md 4.4): signatures (trust.c) and whose keys are believed
// (trust_decision.c) together.
#include <stdlib.h>
#include <string.h>

#include "models/history.h"
#include "models/trust.h"

struct trust_memo {
    struct hash_map *keys; // person → struct trust_keys, on the heap; their items belong to the model's arena
};

struct trust_memo *trust_memo_create(void)
{
    struct trust_memo *memo = mem_alloc(sizeof *memo);
    memo->keys = hash_map_create();
    return memo;
}

void trust_memo_destroy(struct trust_memo *memo)
{
    if (memo == NULL)
        return;
    hash_map_free_values(memo->keys);
    hash_map_destroy(memo->keys);
    free(memo);
}

static enum status keys_by_memo(struct model *m, struct trust_memo *memo, const struct hash *person,
                                struct trust_keys *out, struct error *e)
{
    const struct trust_keys *known = memo != NULL ? hash_map_get(memo->keys, person) : NULL;
    if (known != NULL) {
        *out = *known;
        return STATUS_OK;
    }
    enum status status = trust_keys_of(m, person, out, e);
    if (status == STATUS_OK && memo != NULL) {
        struct trust_keys *copy = mem_alloc(sizeof *copy);
        *copy = *out;
        hash_map_set(memo->keys, person, copy);
    }
    return status;
}

static enum verification judge_by_keys(const struct trust_signature *s, const struct trust_keys *keys)
{
    bool knows_trusted = false;
    bool fits_untrusted = false;
    for (size_t i = 0; i < keys->count; i++) {
        bool fits = trust_signature_fits(s, &keys->items[i].key);
        if (fits && keys->items[i].trusted)
            return VERIFICATION_VERIFIED;
        knows_trusted = knows_trusted || keys->items[i].trusted;
        fits_untrusted = fits_untrusted || fits;
    }
    return knows_trusted && !fits_untrusted ? VERIFICATION_FORGED : VERIFICATION_UNSIGNED;
}

// After an installation was made anew under its old e-mails nobody here knows the keys of before: what we are said to
// have written then can neither be proved nor refuted.
static bool is_older_than_we(struct model *m, const struct hash *creation_time)
{
    struct value *object;
    struct history history;
    double time = 0;
    if (model_read(m, creation_time, "CreationTime", &object, NULL) != STATUS_OK ||
        !value_get_number(object, "timestamp", &time) ||
        history_of(m, &m->self->instance, &history, NULL) != STATUS_OK || history.count == 0)
        return false;
    return time < (double)history.items[history.count - 1].created_ms;
}

static enum verification judge_affirmation(struct model *m, const struct hash *creation_time,
                                           const struct trust_signature *s, const struct trust_keys *keys)
{
    enum verification found = judge_by_keys(s, keys);
    bool lost =
        found == VERIFICATION_FORGED && hash_eq(&s->issuer, &m->self->person) && is_older_than_we(m, creation_time);
    return lost ? VERIFICATION_UNSIGNED : found;
}

enum status trust_verify_entry(struct model *m, struct trust_memo *memo, const struct hash *creation_time,
                               const struct hash_list *metadata, struct hash *author, bool *has_author,
                               enum verification *out, struct error *e)
{
    *has_author = false;
    *out = VERIFICATION_UNSIGNED;
    for (size_t i = 0; i < metadata->count && *out != VERIFICATION_VERIFIED; i++) {
        struct trust_signature s;
        struct hash about;
        struct trust_keys keys;
        if (!trust_read_affirmation(m, &metadata->items[i], &s, &about))
            continue;
        enum status status = keys_by_memo(m, memo, &s.issuer, &keys, e);
        if (status != STATUS_OK)
            return status;
        enum verification found =
            hash_eq(&about, creation_time) ? judge_affirmation(m, creation_time, &s, &keys) : VERIFICATION_FORGED;
        if (*has_author && found == VERIFICATION_UNSIGNED)
            continue;
        *has_author = true;
        *author = s.issuer;
        *out = found;
    }
    return STATUS_OK;
}

const char *verification_name(enum verification v)
{
    static const char *const names[] = {
        [VERIFICATION_VERIFIED] = "verified", [VERIFICATION_UNSIGNED] = "unsigned", [VERIFICATION_FORGED] = "forged"};
    return names[v];
}
