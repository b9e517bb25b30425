// What the accounts show: sums by class, who uses most, and refusals to be told of.
#include <string.h>

#include "base/budget_internal.h"

static void show(struct budget *b, uint64_t now, struct budget_account *out)
{
    budget_leak(b, now);
    *out = (struct budget_account){.class = b->class, .person = b->person, .connections = b->connections};
    for (int k = 0; k < BUDGET_KINDS; k++) {
        out->use[k] = (uint64_t)b->use[k];
        out->refused[k] = b->refused[k];
    }
}

void budgets_of_class(struct budgets *bs, enum budget_class class, struct budget_account *out)
{
    pthread_mutex_lock(&bs->lock);
    show(&bs->all[class], budgets_now(bs), out);
    pthread_mutex_unlock(&bs->lock);
}

// The biggest part of a limit that is used.
static double pressure(const struct budget_account *a)
{
    double most = 0;
    for (int k = 0; k < BUDGET_KINDS; k++) {
        struct budget_limit limit = budget_limit(a->class, (enum budget_kind)k, BUDGET_PERSON);
        if (limit.most == BUDGET_NO_LIMIT || limit.most == 0)
            continue;
        double part = (double)a->use[k] / (double)limit.most;
        most = part > most ? part : most;
    }
    return most;
}

// Keeps out sorted.
static size_t insert(struct budget_account *out, size_t count, size_t max, const struct budget_account *a)
{
    size_t at = count;
    while (at > 0 && pressure(a) > pressure(&out[at - 1]))
        at--;
    if (at == max)
        return count;
    size_t moved = count < max ? count - at : max - 1 - at;
    memmove(&out[at + 1], &out[at], moved * sizeof *out);
    out[at] = *a;
    return count < max ? count + 1 : max;
}

size_t budgets_top(struct budgets *bs, struct budget_account *out, size_t max)
{
    size_t count = 0, cursor = 0;
    struct hash key;
    void *value;
    pthread_mutex_lock(&bs->lock);
    uint64_t now = budgets_now(bs);
    while (hash_map_next(bs->persons, &cursor, &key, &value)) {
        struct budget_account a;
        show(value, now, &a);
        count = insert(out, count, max, &a);
    }
    pthread_mutex_unlock(&bs->lock);
    return count;
}

static bool report_of(struct budget *b, struct budget_report *out)
{
    for (int k = 0; k < BUDGET_KINDS; k++) {
        uint64_t news = b->refused[k] - b->reported[k];
        if (news == 0)
            continue;
        *out =
            (struct budget_report){.class = b->class, .person = b->person, .kind = (enum budget_kind)k, .count = news};
        b->reported[k] = b->refused[k];
        return true;
    }
    return false;
}

bool budgets_report(struct budgets *bs, struct budget_report *out)
{
    size_t cursor = 0;
    struct hash key;
    void *value;
    bool found = false;
    pthread_mutex_lock(&bs->lock);
    for (int c = 0; c < BUDGET_CLASSES && !found; c++)
        found = report_of(&bs->others[c], out);
    while (!found && hash_map_next(bs->persons, &cursor, &key, &value))
        found = report_of(value, out);
    pthread_mutex_unlock(&bs->lock);
    return found;
}
