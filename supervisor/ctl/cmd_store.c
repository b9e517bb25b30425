// verify and repair: long work of the nodes, one after the other unless one is named.
#include <stdio.h>
#include <string.h>

#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/interrupt.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/progress.h"

enum { POLL_MS = 500, ATTEMPTS = 3 };

static const char *const both[] = {"archive", "sparse"};

static void cancel_job(struct ctl *c, const char *node, const char *job)
{
    struct error ignored = {0};
    json_decref(ctl_call(c, "job.cancel", json_pack("{s:s, s:s}", "node", node, "jobId", job), &ignored));
}

static json_t *wait_for_job(struct ctl *c, const char *node, const char *job, struct error *e)
{
    json_t *result = NULL;
    struct progress *p = progress_counting(c, node, "objects");
    interrupt_hold();
    while (result == NULL && e->status == STATUS_OK) {
        json_t *state =
            ctl_call(c, "job.wait", json_pack("{s:s, s:s, s:i}", "node", node, "jobId", job, "waitMs", POLL_MS), e);
        const json_t *at = json_object_get(state, "progress");
        if (json_is_true(json_object_get(state, "done")))
            result = json_incref(json_object_get(state, "result"));
        else
            progress_at(p, (uint64_t)json_integer_value(json_object_get(at, "done")),
                        (uint64_t)json_integer_value(json_object_get(at, "total")));
        json_decref(state);
        if (result == NULL && e->status == STATUS_OK && interrupt_check(e) != STATUS_OK)
            cancel_job(c, node, job);
    }
    progress_end(p);
    interrupt_release();
    return result;
}

static json_t *run_job(struct ctl *c, const char *method, const char *node, struct error *e)
{
    json_t *params = json_pack("{s:s}", "node", node);
    if (ctl_has(c, "forget-lost"))
        json_object_set_new(params, "forget", json_true());
    json_t *begun = ctl_call(c, method, params, e);
    const char *job = json_string_value(json_object_get(begun, "jobId"));
    json_t *result = begun;
    if (job != NULL) {
        result = wait_for_job(c, node, job, e);
        json_decref(begun);
    }
    return result;
}

// ---- verify --------------------------------------------------------------------------------------------------------

static void add_findings(json_t *all, const json_t *result, const char *kind, const char *node)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(result, kind), i, item)
    {
        json_object_set_new(item, "node", json_string(node));
        json_array_append(json_object_get(all, kind), item);
    }
}

static void add_verification(json_t *all, json_t *result, const char *node)
{
    json_int_t objects =
        json_integer_value(json_object_get(all, "objects")) + json_integer_value(json_object_get(result, "objects"));
    json_object_set_new(all, "objects", json_integer(objects));
    add_findings(all, result, "damaged", node);
    add_findings(all, result, "missing", node);
    json_object_del(result, "damaged");
    json_object_del(result, "missing");
    if (!json_is_true(json_object_get(result, "sound")))
        json_object_set_new(all, "sound", json_false());
    json_object_set(json_object_get(all, "nodes"), node, result);
}

static void print_findings(const json_t *all, const char *kind)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(all, kind), i, item)
    {
        if (output_enough(i, json_object_get(all, kind)))
            break;
        const char *type = json_string_value(json_object_get(item, "type"));
        printf("%s  %-7s  %s  %s\n", kind, json_string_value(json_object_get(item, "node")),
               json_string_value(json_object_get(item, "hash")), type[0] != '\0' ? type : "file");
    }
}

static void print_node(const json_t *all, const char *node)
{
    const json_t *result = json_object_get(json_object_get(all, "nodes"), node);
    const char *why = json_string_value(json_object_get(result, "why"));
    if (result == NULL)
        return;
    printf("%-7s  %lld objects, %s%s%s", node, (long long)json_integer_value(json_object_get(result, "objects")),
           json_is_true(json_object_get(result, "sound")) ? "all is well" : "not all is well", why != NULL ? ": " : "",
           why != NULL ? why : "");
    puts(json_is_true(json_object_get(result, "open")) ? ""
                                                       : " (the node does not run, only its folder was looked at)");
}

static void print_verification(const json_t *all)
{
    print_findings(all, "damaged");
    print_findings(all, "missing");
    for (size_t i = 0; i < sizeof both / sizeof *both; i++)
        print_node(all, both[i]);
    if (!json_is_true(json_object_get(all, "sound")))
        puts("Fetch what is lost from other nodes with: tandem repair");
}

enum status run_verify(struct ctl *c, struct error *e)
{
    json_t *all = json_pack("{s:i, s:[], s:[], s:b, s:{}}", "objects", 0, "damaged", "missing", "sound", 1, "nodes");
    for (size_t i = 0; i < sizeof both / sizeof *both && e->status == STATUS_OK; i++) {
        if (c->node != NULL && strcmp(c->node, both[i]) != 0)
            continue;
        json_t *result = run_job(c, "store.verify", both[i], e);
        if (result != NULL)
            add_verification(all, result, both[i]);
        json_decref(result);
    }
    if (e->status == STATUS_OK && !json_is_true(json_object_get(all, "sound")))
        c->exit = IPC_EXIT_FAILED;
    if (e->status == STATUS_OK && c->json)
        output_json(json_incref(all));
    else if (e->status == STATUS_OK)
        print_verification(all);
    json_decref(all);
    return e->status;
}

// ---- repair --------------------------------------------------------------------------------------------------------

// A database that has to be made anew is, as the node opens; then it is looked at again.
static json_t *repair_node(struct ctl *c, const char *node, struct error *e)
{
    json_t *result = NULL;
    json_int_t repaired = 0;
    bool rebuilt = false;
    for (int i = 0; i < ATTEMPTS; i++) {
        json_decref(result);
        result = run_job(c, "store.repair", node, e);
        bool opened = json_is_true(json_object_get(result, "opened"));
        bool restart = json_is_true(json_object_get(result, "restart"));
        repaired += json_integer_value(json_object_get(result, "repaired"));
        if (result == NULL || (!opened && !restart))
            break;
        rebuilt = true;
        json_t *restarted = opened ? json_object() : ctl_call(c, "restart", json_pack("{s:s}", "node", node), e);
        json_decref(restarted);
        if (restarted == NULL) {
            json_decref(result);
            return NULL;
        }
    }
    if (result != NULL) {
        json_object_set_new(result, "repaired", json_integer(repaired));
        json_object_set_new(result, "rebuilt", json_boolean(rebuilt));
    }
    return result;
}

static void add_repair(json_t *all, const json_t *result, const char *node)
{
    json_int_t repaired =
        json_integer_value(json_object_get(all, "repaired")) + json_integer_value(json_object_get(result, "repaired"));
    json_object_set_new(all, "repaired", json_integer(repaired));
    add_findings(all, result, "lost", node);
    if (json_is_true(json_object_get(result, "rebuilt")))
        json_array_append_new(json_object_get(all, "rebuilt"), json_string(node));
}

static void print_repair(const json_t *all)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(all, "rebuilt"), i, item)
    {
        printf("The database of the %s node was made anew.\n", json_string_value(item));
    }
    printf("%lld objects were repaired.\n", (long long)json_integer_value(json_object_get(all, "repaired")));
    json_array_foreach(json_object_get(all, "lost"), i, item)
    {
        if (output_enough(i, json_object_get(all, "lost")))
            break;
        const char *type = json_string_value(json_object_get(item, "type"));
        const char *conversation = json_string_value(json_object_get(item, "conversation"));
        printf("lost  %-7s  %s  %s%s", json_string_value(json_object_get(item, "node")),
               json_string_value(json_object_get(item, "hash")), type[0] != '\0' ? type : "file",
               conversation != NULL ? ", of the conversation " : "");
        if (conversation != NULL)
            output_text(conversation);
        putchar('\n');
    }
    if (json_array_size(json_object_get(all, "lost")) != 0)
        puts("Nobody who is connected has these. Try again when others are, or restore a backup, or give them up with\n"
             "--forget-lost.");
}

enum status run_repair(struct ctl *c, struct error *e)
{
    json_t *all = json_pack("{s:i, s:[], s:[]}", "repaired", 0, "lost", "rebuilt");
    for (size_t i = 0; i < sizeof both / sizeof *both && e->status == STATUS_OK; i++) {
        if (c->node != NULL && strcmp(c->node, both[i]) != 0)
            continue;
        json_t *result = repair_node(c, both[i], e);
        if (result != NULL)
            add_repair(all, result, both[i]);
        json_decref(result);
    }
    if (e->status == STATUS_OK && json_array_size(json_object_get(all, "lost")) != 0)
        c->exit = IPC_EXIT_FAILED;
    if (e->status == STATUS_OK && c->json)
        output_json(json_incref(all));
    else if (e->status == STATUS_OK)
        print_repair(all);
    json_decref(all);
    return e->status;
}
