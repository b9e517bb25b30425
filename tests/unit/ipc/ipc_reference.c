// Prints the reference part of docs/ipc.md (methods, errors, events) from the tables. check_docs.py compares.
#include <stdio.h>
#include <string.h>

#include "ipc/errors.h"
#include "ipc/events.h"
#include "ipc/methods.h"

static void print_limits(const struct ipc_param *p)
{
    if (p->kind == IPC_CHOICE) {
        for (const char *c = p->choices; *c != '\0'; c++)
            fputs(*c == '|' ? ", " : (char[]){*c, '\0'}, stdout);
        return;
    }
    fputs(ipc_kind_name(p->kind), stdout);
    if (p->kind == IPC_TEXT)
        printf(", %lld–%lld bytes", (long long)p->min, (long long)p->max);
    else if (p->kind == IPC_INT && p->max == INT64_MAX)
        printf(", from %lld", (long long)p->min);
    else if (p->kind == IPC_INT)
        printf(", %lld–%lld", (long long)p->min, (long long)p->max);
    else if (p->kind == IPC_ARRAY || p->kind == IPC_PERSONS)
        printf(", at most %lld members", (long long)p->max);
}

static void print_method(const struct ipc_method *m)
{
    printf("#### `%s`\n\n%s", m->name, m->about);
    if (m->site == IPC_NODE && m->caller == IPC_CLIENT)
        printf(" Default node: %s.", ipc_node_name(m->node));
    printf("%s\n\n", m->effect == IPC_MUTATES ? " Takes `opId`." : "");
    for (const struct ipc_param *p = m->params; p->name != NULL; p++) {
        printf("- `%s`%s (", p->name, p->need == IPC_REQUIRED ? ", required" : "");
        print_limits(p);
        printf("): %s\n", p->about);
    }
    printf("%sResult: %s\n\n", m->params[0].name != NULL ? "\n" : "", m->result);
}

static void print_methods(const char *title, enum ipc_site site, enum ipc_caller caller)
{
    printf("### %s\n\n", title);
    for (size_t i = 0; i < ipc_method_count(); i++)
        if (ipc_method_at(i)->site == site && ipc_method_at(i)->caller == caller)
            print_method(ipc_method_at(i));
}

static void print_errors(void)
{
    puts("## Error codes\n\n| code | number | CLI exit | hint |\n|---|---|---|---|");
    for (size_t i = 0; i < IPC_CODE_COUNT; i++)
        printf("| `%s` | %d | %d | %s |\n", IPC_CODES[i].code, IPC_CODES[i].number, (int)IPC_CODES[i].exit,
               IPC_CODES[i].hint);
    puts("\nFor other codes see \"Further error codes\" above; their number is that of the kind of failure.\n");
}

static void print_events(void)
{
    puts("## Events\n\n| event | data | meaning |\n|---|---|---|");
    for (size_t i = 0; i < IPC_EVENT_COUNT; i++)
        printf("| `%s` | %s | %s |\n", IPC_EVENTS[i].name, IPC_EVENTS[i].data, IPC_EVENTS[i].about);
}

int main(void)
{
    puts("## Methods\n");
    print_methods("Of the supervisor", IPC_SUPERVISOR, IPC_CLIENT);
    print_methods("Of the nodes", IPC_NODE, IPC_CLIENT);
    print_methods("Between the supervisor and its nodes (not for clients)", IPC_NODE, IPC_INTERNAL);
    print_errors();
    print_events();
    return 0;
}
