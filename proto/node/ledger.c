// Kept as two numbers in decimal, of which older stores have the first one only.
#include "node/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TIMES = 16, CREDIT_MAX = 256 << 20 };

void ledger_load(struct ledger *l, struct store *s, const struct hash *person)
{
    struct arena *a = arena_create();
    struct span text;
    char *rest;
    *l = (struct ledger){0};
    if (store_setting_get(s, store_setting_about("grown", person).s, a, &text, NULL) == STATUS_OK) {
        l->grown = strtoull(arena_printf(a, SPAN_FMT, SPAN_ARG(text)).ptr, &rest, 10);
        l->credit = strtoull(rest, NULL, 10);
    }
    arena_destroy(a);
}

enum status ledger_save(const struct ledger *l, struct store *s, const struct hash *person, struct error *e)
{
    char text[50];
    snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64, l->grown, l->credit);
    return store_setting_set(s, store_setting_about("grown", person).s, span_of(text), e);
}

uint64_t ledger_book(struct ledger *l, uint64_t sent, uint64_t grown)
{
    uint64_t allowed = l->credit + TIMES * sent;
    uint64_t rest = allowed > grown ? allowed - grown : 0;
    l->grown += grown;
    l->credit = rest < CREDIT_MAX ? rest : CREDIT_MAX;
    return grown > allowed ? grown - allowed : 0;
}
