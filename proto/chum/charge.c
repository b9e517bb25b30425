// What a sender costs is what the store grew by and not what it sent: a small object may bring about much. So the
// reactions to it run before the sum is taken (store_announce). A file is charged piece by piece, since it is in no
// total before its end.
#include "chum/charge.h"

struct store_totals chum_charge_begin(struct store *s)
{
    struct store_totals totals = {0};
    store_totals(s, &totals, NULL);
    return totals;
}

enum status chum_charge_end(struct store *s, const struct chum_fetch *f, const struct store_totals *before,
                            uint64_t sent, uint64_t versions, struct error *e)
{
    if (f->policy == NULL || f->policy->takes == NULL)
        return STATUS_OK;
    enum status st = store_announce(s, e);
    struct store_totals after = chum_charge_begin(s);
    struct chum_load load = {.sent = sent, .versions = versions};
    if (after.bytes > before->bytes)
        load.grown = after.bytes - before->bytes;
    return st == STATUS_OK && load.grown + versions != 0 ? f->policy->takes(f->policy->ctx, s, &f->sender, &load, e)
                                                         : st;
}

enum status chum_charge_file(struct store *s, const struct chum_fetch *f, uint64_t bytes, struct error *e)
{
    struct chum_load load = {.sent = bytes, .grown = bytes};
    if (f->policy == NULL || f->policy->takes == NULL)
        return STATUS_OK;
    return f->policy->takes(f->policy->ctx, s, &f->sender, &load, e);
}

uint64_t chum_charge_rest(const struct chum_fetch *f)
{
    return f->policy != NULL && f->policy->rests != NULL ? f->policy->rests(f->policy->ctx, &f->sender) : 0;
}
