// Inside budget*.c only: the nodes of the tree.
#pragma once

#include <pthread.h>

#include "base/budget.h"

struct budget {
    struct budgets *tree;
    struct budget *parent;   // NULL: of all
    enum budget_class class; // not of a connection
    enum budget_level level;
    struct hash person; // of a person's
    size_t refs;        // of a person's, connections included
    size_t connections; // below it
    uint64_t at;        // when the rates were brought up to date
    uint64_t used_at;   // when a person's account was asked for last
    double use[BUDGET_KINDS];
    uint64_t refused[BUDGET_KINDS], reported[BUDGET_KINDS];
};

struct budgets {
    pthread_mutex_t lock;
    uint64_t (*now)(void *ctx);
    void *ctx;
    struct hash_map *persons;
    struct budget all[BUDGET_CLASSES];
    struct budget others[BUDGET_CLASSES]; // in the place of a person: strangers, and whoever finds no account free
};

uint64_t budgets_now(const struct budgets *bs);
void budget_leak(struct budget *b, uint64_t now); // its rates are brought up to date
