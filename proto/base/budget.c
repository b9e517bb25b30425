// An account is a node with one number per kind. A rate's number leaks: it is brought up to date, for all kinds at
// once, whenever the node is looked at. The root of a class and the strangers' common account are nodes like the
// others, which nobody releases.
#include <stdlib.h>

#include "base/budget_internal.h"
#include "base/clock.h"

// ---- One account ---------------------------------------------------------------------------------------------------

uint64_t budgets_now(const struct budgets *bs)
{
    return bs->now != NULL ? bs->now(bs->ctx) : clock_monotonic_ms();
}

// A connection's is that of whoever is behind it.
static enum budget_class class_of(const struct budget *b)
{
    return b->level == BUDGET_CONNECTION ? b->parent->class : b->class;
}

static struct budget_limit limit_of(const struct budget *b, enum budget_kind kind)
{
    return budget_limit(class_of(b), kind, b->level);
}

void budget_leak(struct budget *b, uint64_t now)
{
    double ms = now > b->at ? (double)(now - b->at) : 0;
    for (int k = 0; k < BUDGET_KINDS; k++) {
        if (!budget_is_rate((enum budget_kind)k))
            continue;
        double rest = b->use[k] - ms * (double)limit_of(b, (enum budget_kind)k).per_second / 1000;
        bool bounded = limit_of(b, (enum budget_kind)k).most != BUDGET_NO_LIMIT;
        b->use[k] = rest > 0 && bounded ? rest : 0; // what is not bounded is not counted
    }
    b->at = now;
}

static uint64_t room(const struct budget *b, enum budget_kind kind)
{
    struct budget_limit limit = limit_of(b, kind);
    if (limit.most == BUDGET_NO_LIMIT)
        return BUDGET_NO_LIMIT;
    return b->use[kind] < (double)limit.most ? (uint64_t)((double)limit.most - b->use[kind]) : 0;
}

// Of what all have, each person finds so much, whatever the others use.
static uint64_t assured_room(const struct budget *person, enum budget_kind kind)
{
    enum { PART_OF_RATE = 8, PART_OF_GAUGE = 128 };
    uint64_t most = limit_of(person, kind).most;
    uint64_t assured = most == BUDGET_NO_LIMIT ? 0 : most / (budget_is_rate(kind) ? PART_OF_RATE : PART_OF_GAUGE);
    return person->use[kind] < (double)assured ? (uint64_t)((double)assured - person->use[kind]) : 0;
}

static bool is_below_all(const struct budget *b)
{
    return b->level == BUDGET_PERSON && b->class != BUDGET_STRANGER && b != &b->tree->others[b->class];
}

static void leak_all(struct budget *b)
{
    uint64_t now = budgets_now(b->tree);
    for (; b != NULL; b = b->parent)
        budget_leak(b, now);
}

static uint64_t least_room(struct budget *b, enum budget_kind kind)
{
    uint64_t least = BUDGET_NO_LIMIT, assured = 0;
    for (; b != NULL; b = b->parent) {
        uint64_t r = room(b, kind);
        r = b->level == BUDGET_ALL && assured > r ? assured : r;
        least = r < least ? r : least;
        assured = is_below_all(b) ? assured_room(b, kind) : 0;
    }
    return least;
}

static void add(struct budget *b, enum budget_kind kind, double amount)
{
    for (; b != NULL; b = b->parent)
        b->use[kind] = b->use[kind] + amount > 0 ? b->use[kind] + amount : 0;
}

// ---- The tree ------------------------------------------------------------------------------------------------------

struct budgets *budgets_create(uint64_t (*now)(void *ctx), void *ctx)
{
    struct budgets *bs = mem_alloc(sizeof *bs);
    pthread_mutex_init(&bs->lock, NULL);
    bs->now = now;
    bs->ctx = ctx;
    bs->persons = hash_map_create();
    for (int c = 0; c < BUDGET_CLASSES; c++) {
        bs->all[c] = (struct budget){.tree = bs, .class = (enum budget_class)c, .level = BUDGET_ALL};
        bs->others[c] = (struct budget){
            .tree = bs, .parent = &bs->all[c], .class = (enum budget_class)c, .level = BUDGET_PERSON, .refs = 1};
    }
    return bs;
}

void budgets_destroy(struct budgets *bs)
{
    if (bs == NULL)
        return;
    hash_map_free_values(bs->persons);
    hash_map_destroy(bs->persons);
    pthread_mutex_destroy(&bs->lock);
    free(bs);
}

static bool is_kept(const struct budget *person) // it still bounds somebody
{
    bool empty = true;
    for (int k = 0; k < BUDGET_KINDS; k++)
        empty = empty && person->use[k] < 1;
    return person->refs != 0 || !empty;
}

// Makes room for one more person: all whose buckets are empty go, and if nobody's are, who was here longest ago.
static bool evict(struct budgets *bs)
{
    struct hash_list gone = {0};
    struct budget *oldest = NULL;
    size_t cursor = 0;
    struct hash key;
    void *value;
    uint64_t now = budgets_now(bs);
    while (hash_map_next(bs->persons, &cursor, &key, &value)) {
        struct budget *b = value;
        if (b->refs == 0 && (oldest == NULL || b->used_at < oldest->used_at))
            oldest = b;
    }
    struct hash last = oldest != NULL ? oldest->person : (struct hash){{0}};
    cursor = 0;
    while (hash_map_next(bs->persons, &cursor, &key, &value)) {
        struct budget *b = value;
        if (b->refs == 0)
            budget_leak(b, now);
        if (!is_kept(b))
            hash_list_add(&gone, &key);
    }
    if (gone.count == 0 && oldest != NULL)
        hash_list_add(&gone, &last);
    for (size_t i = 0; i < gone.count; i++) {
        free(hash_map_get(bs->persons, &gone.items[i]));
        hash_map_remove(bs->persons, &gone.items[i]);
    }
    bool found = gone.count != 0;
    hash_list_free(&gone);
    return found;
}

// Who becomes the own node takes what he uses along.
static void change_class(struct budget *person, enum budget_class class)
{
    for (int k = 0; k < BUDGET_VALUES; k++)
        add(person->parent, (enum budget_kind)k, -person->use[k]);
    person->parent->connections -= person->connections;
    person->class = class;
    person->parent = &person->tree->all[class];
    for (int k = 0; k < BUDGET_VALUES; k++)
        add(person->parent, (enum budget_kind)k, person->use[k]);
    person->parent->connections += person->connections;
}

// The person's account with one more reference.
static struct budget *person_account(struct budgets *bs, const struct hash *person, enum budget_class class)
{
    struct budget *b = class != BUDGET_STRANGER ? hash_map_get(bs->persons, person) : &bs->others[class];
    if (b == NULL && hash_map_count(bs->persons) >= BUDGET_PERSONS_MAX && !evict(bs))
        b = &bs->others[class];
    if (b == NULL) {
        b = mem_alloc(sizeof *b);
        *b = (struct budget){.tree = bs,
                             .parent = &bs->all[class],
                             .class = class,
                             .level = BUDGET_PERSON,
                             .person = *person,
                             .at = budgets_now(bs)};
        hash_map_set(bs->persons, person, b);
    }
    if (b->class != class)
        change_class(b, class);
    b->used_at = budgets_now(bs);
    b->refs++;
    return b;
}

struct budget *budget_of_person(struct budgets *bs, const struct hash *person, enum budget_class class)
{
    if (bs == NULL)
        return NULL;
    pthread_mutex_lock(&bs->lock);
    struct budget *b = person_account(bs, person, class);
    pthread_mutex_unlock(&bs->lock);
    return b;
}

static void count_connection(struct budget *c, size_t more, size_t less)
{
    for (struct budget *b = c->parent; b != NULL; b = b->parent)
        b->connections = b->connections + more - less;
}

struct budget *budget_of_connection(struct budgets *bs)
{
    if (bs == NULL)
        return NULL;
    struct budget *b = mem_alloc(sizeof *b);
    pthread_mutex_lock(&bs->lock);
    *b = (struct budget){.tree = bs,
                         .parent = person_account(bs, NULL, BUDGET_STRANGER),
                         .level = BUDGET_CONNECTION,
                         .refs = 1,
                         .at = budgets_now(bs)};
    count_connection(b, 1, 0);
    pthread_mutex_unlock(&bs->lock);
    return b;
}

static void leave_parent(struct budget *c)
{
    for (int k = 0; k < BUDGET_VALUES; k++)
        add(c->parent, (enum budget_kind)k, -c->use[k]);
    count_connection(c, 0, 1);
    c->parent->refs--;
}

void budget_reclass(struct budget *connection, const struct hash *person, enum budget_class class)
{
    if (connection == NULL)
        return;
    struct budgets *bs = connection->tree;
    pthread_mutex_lock(&bs->lock);
    struct budget *to = person_account(bs, person, class);
    leave_parent(connection);
    connection->parent = to;
    for (int k = 0; k < BUDGET_KINDS; k++) {
        if (budget_is_rate((enum budget_kind)k))
            connection->use[k] = 0;
        else
            add(to, (enum budget_kind)k, connection->use[k]);
    }
    count_connection(connection, 1, 0);
    pthread_mutex_unlock(&bs->lock);
}

struct budget *budget_use(struct budget *b)
{
    if (b == NULL)
        return NULL;
    pthread_mutex_lock(&b->tree->lock);
    b->refs++;
    pthread_mutex_unlock(&b->tree->lock);
    return b;
}

void budget_release(struct budget *b)
{
    if (b == NULL)
        return;
    struct budgets *bs = b->tree;
    pthread_mutex_lock(&bs->lock);
    bool gone = --b->refs == 0 && b->level == BUDGET_CONNECTION;
    if (gone)
        leave_parent(b);
    pthread_mutex_unlock(&bs->lock);
    if (gone)
        free(b);
}

// ---- Taking and giving ---------------------------------------------------------------------------------------------

static void note_refusal(struct budget *b, enum budget_kind kind)
{
    for (; b != NULL; b = b->parent)
        b->refused[kind]++;
}

enum status budget_take(struct budget *b, enum budget_kind kind, uint64_t amount, struct error *e)
{
    if (b == NULL)
        return STATUS_OK;
    pthread_mutex_lock(&b->tree->lock);
    leak_all(b);
    bool fits = least_room(b, kind) >= amount;
    enum budget_class class = class_of(b);
    if (fits)
        add(b, kind, (double)amount);
    else
        note_refusal(b, kind);
    pthread_mutex_unlock(&b->tree->lock);
    if (fits)
        return STATUS_OK;
    return error_set(e, STATUS_FULL, "OVER-BUDGET", "a peer (%s) asks for more than it may have of: %s",
                     budget_class_name(class), budget_kind_name(kind));
}

// What cannot be refused may pass the limit of a rate by what leaks in OWED_S: one big thing is no pause of hours.
static void owe(struct budget *level, enum budget_kind kind, double amount)
{
    enum { OWED_S = 600 };
    struct budget_limit limit = limit_of(level, kind);
    level->use[kind] += amount;
    if (!budget_is_rate(kind) || limit.most == BUDGET_NO_LIMIT)
        return;
    double most = (double)limit.most + (double)limit.per_second * OWED_S;
    level->use[kind] = level->use[kind] < most ? level->use[kind] : most;
}

bool budget_charge(struct budget *b, enum budget_kind kind, uint64_t amount)
{
    if (b == NULL)
        return true;
    pthread_mutex_lock(&b->tree->lock);
    leak_all(b);
    bool fits = least_room(b, kind) >= amount;
    for (struct budget *level = b; level != NULL; level = level->parent)
        owe(level, kind, (double)amount);
    pthread_mutex_unlock(&b->tree->lock);
    return fits;
}

void budget_give(struct budget *b, enum budget_kind kind, uint64_t amount)
{
    if (b == NULL)
        return;
    pthread_mutex_lock(&b->tree->lock);
    add(b, kind, -((double)amount < b->use[kind] ? (double)amount : b->use[kind]));
    pthread_mutex_unlock(&b->tree->lock);
}

void budget_set(struct budget *b, enum budget_kind kind, uint64_t amount)
{
    if (b == NULL)
        return;
    pthread_mutex_lock(&b->tree->lock);
    add(b, kind, (double)amount - b->use[kind]);
    pthread_mutex_unlock(&b->tree->lock);
}

uint64_t budget_room(struct budget *b, enum budget_kind kind)
{
    if (b == NULL)
        return BUDGET_NO_LIMIT;
    pthread_mutex_lock(&b->tree->lock);
    leak_all(b);
    uint64_t r = least_room(b, kind);
    pthread_mutex_unlock(&b->tree->lock);
    return r;
}

static uint64_t wait_of(const struct budget *b, enum budget_kind kind, uint64_t amount)
{
    struct budget_limit limit = limit_of(b, kind);
    uint64_t r = room(b, kind);
    if (r >= amount)
        return 0;
    if (amount > limit.most || limit.per_second == 0)
        return UINT64_MAX;
    double over = b->use[kind] + (double)amount - (double)limit.most;
    return (uint64_t)(over * 1000 / (double)limit.per_second) + 1;
}

uint64_t budget_wait_ms(struct budget *b, enum budget_kind kind, uint64_t amount)
{
    uint64_t longest = 0;
    if (b == NULL)
        return 0;
    pthread_mutex_lock(&b->tree->lock);
    leak_all(b);
    uint64_t assured = 0;
    for (const struct budget *level = b; level != NULL; level = level->parent) {
        uint64_t ms = level->level == BUDGET_ALL && assured >= amount ? 0 : wait_of(level, kind, amount);
        longest = ms > longest ? ms : longest;
        assured = is_below_all(level) ? assured_room(level, kind) : 0;
    }
    pthread_mutex_unlock(&b->tree->lock);
    return longest;
}

void budget_note_refusal(struct budget *b, enum budget_kind kind)
{
    if (b == NULL)
        return;
    pthread_mutex_lock(&b->tree->lock);
    note_refusal(b, kind);
    pthread_mutex_unlock(&b->tree->lock);
}
