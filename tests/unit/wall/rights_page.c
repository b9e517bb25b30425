// Prints the table of rights as the part of docs/security.md that check_page.py compares.
#include <stdio.h>

#include "wall/rights.h"

static void print_bits(unsigned bits, int count, const char *(*name)(int))
{
    const char *comma = "";
    for (int i = 0; i < count; i++) {
        if ((bits & 1U << i) == 0)
            continue;
        printf("%s%s", comma, name(i));
        comma = ", ";
    }
    if (bits == 0)
        printf("none");
}

static const char *group_name(int i)
{
    return WALL_GROUP[i].name;
}

static const char *set_name(int i)
{
    return WALL_FILE_SET[i].what;
}

static void print_program(const struct wall_rights *r)
{
    printf("\n**%s**\n\n", r->name);
    if (r->any_file)
        printf("- files: what its user may touch; executes none, makes no devices\n");
    else {
        printf("- files: %s; reads ", r->places);
        print_bits(r->files, WALL_FILES_SETS, set_name);
        printf("\n");
    }
    printf("- TCP: %s, %s\n", r->connects ? "connects" : "no connections", r->binds ? "binds" : "no ports");
    printf("- signals: %s\n", r->signals ? "to its user's processes" : "not beyond itself and its children");
    printf("- calls: ");
    print_bits(r->groups, WALL_GROUPS, group_name);
    printf("\n- of these only:\n");
    for (int i = 0; i < WALL_CONDITIONS; i++)
        if ((r->conditions & 1U << i) != 0)
            printf("  - %s\n", WALL_CONDITION[i].text);
    if (r->later != NULL)
        printf("- gives up later: %s\n", r->later);
}

static void print_calls(const char *title, const struct wall_call *calls)
{
    printf("| %s |", title);
    for (const struct wall_call *c = calls; c->name != NULL; c++)
        printf(" %s", c->name);
    printf(" |\n");
}

int main(void)
{
    printf("### Each program\n");
    for (int p = 0; p < WALL_PROGRAMS; p++)
        print_program(&WALL_RIGHTS[p]);
    printf("\n### Files\n\n| set | paths |\n|---|---|\n");
    for (int i = 0; i < WALL_FILES_SETS; i++) {
        printf("| %s |", WALL_FILE_SET[i].what);
        for (const char *const *path = WALL_FILE_SET[i].paths; *path != NULL; path++)
            printf(" %s", *path);
        printf(" |\n");
    }
    printf("\n### System calls\n\n| group | calls |\n|---|---|\n");
    for (int g = 0; g < WALL_GROUPS; g++) {
        char title[128];
        snprintf(title, sizeof title, "%s: %s", WALL_GROUP[g].name, WALL_GROUP[g].what);
        print_calls(title, WALL_GROUP[g].calls);
    }
    printf("\nWhat is in no group of a program:\n\n| answer | calls |\n|---|---|\n");
    print_calls("the process is ended", WALL_DEADLY);
    print_calls("EPERM, logged; also the calls of other groups", WALL_REFUSED);
    print_calls("ENOSYS, not logged", WALL_UNKNOWN);
    printf("| ENOSYS, logged | all others |\n");
    return 0;
}
