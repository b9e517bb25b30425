// Prints the table of base/budget.h as docs/security.md shows it.
#include <stdio.h>

#include "base/budget.h"

static void print_number(uint64_t n, bool bytes)
{
    if (n == BUDGET_NO_LIMIT)
        printf("–");
    else if (bytes && n >= 1 << 20)
        printf("%llu MiB", (unsigned long long)(n >> 20));
    else if (bytes && n >= 1 << 10)
        printf("%llu KiB", (unsigned long long)(n >> 10));
    else
        printf("%llu", (unsigned long long)n);
}

static void print_limit(enum budget_class class, enum budget_kind kind, enum budget_level level)
{
    bool bytes = kind == BUDGET_HELD || kind == BUDGET_QUEUED || kind == BUDGET_GROWTH;
    struct budget_limit limit = budget_limit(class, kind, level);
    print_number(limit.most, bytes);
    if (limit.per_second != 0) {
        printf(" + ");
        print_number(limit.per_second, bytes);
        printf("/s");
    }
}

int main(void)
{
    printf("| kind | stranger: connection, all | contact: connection, person, all | own node: connection, person, all "
           "|\n");
    printf("|---|---|---|---|\n");
    for (int k = 0; k < BUDGET_KINDS; k++) {
        printf("| %s", budget_kind_name((enum budget_kind)k));
        for (int c = 0; c < BUDGET_CLASSES; c++)
            for (int l = 0; l < BUDGET_LEVELS; l++) {
                if (c == BUDGET_STRANGER && l == BUDGET_PERSON)
                    continue; // all strangers share one
                printf(l == BUDGET_CONNECTION ? " | " : ", ");
                print_limit((enum budget_class)c, (enum budget_kind)k, (enum budget_level)l);
            }
        printf(" |\n");
    }
    return 0;
}
