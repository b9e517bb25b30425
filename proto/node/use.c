// Refusals are told at intervals, one event for each person and kind with how often: who floods a node must not flood
// its log.
#include "node/use.h"

#include "base/log.h"
#include "node/job.h"
#include "node/json.h"

enum { TOP = 5, REPORTS_MAX = 16 };

static json_t *show_limit(uint64_t most)
{
    return most != BUDGET_NO_LIMIT ? json_integer((json_int_t)most) : json_null();
}

static json_t *show_account(const struct budget_account *a, enum budget_level level)
{
    json_t *all = json_pack("{s:I}", "connections", (json_int_t)a->connections);
    for (int k = 0; k < BUDGET_KINDS; k++) {
        enum budget_kind kind = (enum budget_kind)k;
        json_t *one =
            json_pack("{s:I, s:o, s:I}", "use", (json_int_t)a->use[k], "limit",
                      show_limit(budget_limit(a->class, kind, level).most), "refused", (json_int_t)a->refused[k]);
        json_object_set_new(all, budget_kind_name(kind), one);
    }
    return all;
}

static json_t *show_top(struct budgets *bs)
{
    struct budget_account top[TOP];
    json_t *list = json_array();
    size_t count = budgets_top(bs, top, TOP);
    for (size_t i = 0; i < count; i++) {
        json_t *one = show_account(&top[i], BUDGET_PERSON);
        json_object_set_new(one, "personId", node_json_hash(&top[i].person));
        json_object_set_new(one, "class", json_string(budget_class_name(top[i].class)));
        json_array_append_new(list, one);
    }
    return list;
}

json_t *use_show(struct budgets *bs)
{
    json_t *all = json_object();
    for (int c = 0; bs != NULL && c < BUDGET_CLASSES; c++) {
        struct budget_account a;
        budgets_of_class(bs, (enum budget_class)c, &a);
        json_object_set_new(all, budget_class_name((enum budget_class)c), show_account(&a, BUDGET_ALL));
    }
    if (bs != NULL)
        json_object_set_new(all, "top", show_top(bs));
    return all;
}

// One metric with a sample per class and kind.
static void measure(struct budgets *bs, const char *name, const char *type, const char *help, bool refused,
                    json_t *items)
{
    json_t *samples = json_array();
    for (int c = 0; c < BUDGET_CLASSES; c++) {
        struct budget_account a;
        budgets_of_class(bs, (enum budget_class)c, &a);
        for (int k = 0; k < BUDGET_KINDS; k++)
            json_array_append_new(samples, json_pack("{s:{s:s, s:s}, s:I}", "labels", "class",
                                                     budget_class_name((enum budget_class)c), "kind",
                                                     budget_kind_name((enum budget_kind)k), "value",
                                                     (json_int_t)(refused ? a.refused[k] : a.use[k])));
    }
    json_array_append_new(
        items, json_pack("{s:s, s:s, s:s, s:o}", "name", name, "type", type, "help", help, "samples", samples));
}

void use_measure(struct budgets *bs, json_t *items)
{
    if (bs == NULL)
        return;
    measure(bs, "tandem_budget_use", "gauge", "what peers use of their budgets now", false, items);
    measure(bs, "tandem_budget_refused", "counter", "how often a peer was refused more than its budget has", true,
            items);
}

void use_tell_refusals(struct node *n, struct budgets *bs)
{
    struct budget_report r;
    for (int i = 0; i < REPORTS_MAX && budgets_report(bs, &r); i++) {
        const char *class = budget_class_name(r.class), *kind = budget_kind_name(r.kind);
        node_tell(n, "budget.exceeded",
                  json_pack("{s:o, s:s, s:s, s:I}", "personId", node_json_hash(&r.person), "class", class, "kind", kind,
                            "count", (json_int_t)r.count));
    }
}
