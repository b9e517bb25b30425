// Control methods on settings that the own nodes share: settings.*.
#include "models/settings.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/page.h"
#include "node/params.h"

// What the model layer keeps in Settings of its own is nothing to be set by hand.
static enum status check_store(struct node_job *job, struct error *e)
{
    static const char *const taken[] = {"trust.", "contact.", "topic.", "chat.", "sparse."};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (span_starts_with(node_job_text(job, P_store), span_of(taken[i])))
            return error_set(e, STATUS_REFUSED, "REFUSED", "names of settings that begin with %s are taken", taken[i]);
    return STATUS_OK;
}

static enum status settings_set_work(struct node_job *job, struct model *m, struct error *e)
{
    enum status st = check_store(job, e);
    if (st == STATUS_OK)
        st = settings_set(m, node_job_text(job, P_store), node_job_text(job, P_key), node_job_text(job, P_value), e);
    return st;
}

static enum status settings_get_work(struct node_job *job, struct model *m, struct error *e)
{
    struct span value;
    enum status st = settings_get(m, node_job_text(job, P_store), node_job_text(job, P_key), &value, e);
    if (st == STATUS_OK)
        job->result = json_pack("{s:o}", "value", node_json_text(value));
    return st;
}

static enum status settings_list_work(struct node_job *job, struct model *m, struct error *e)
{
    struct settings settings;
    json_t *items = json_array();
    enum status st = settings_list(m, node_job_text(job, P_store), &settings, e);
    for (size_t i = 0; st == STATUS_OK && i < settings.count; i++)
        json_array_append_new(items, json_pack("{s:o, s:o}", "key", node_json_text(settings.items[i].key), "value",
                                               node_json_text(settings.items[i].value)));
    return node_job_listed(job, st, items);
}

const struct node_method NODE_METHODS_SETTINGS[] = {
    {"settings.set", settings_set_work, NULL},
    {"settings.get", settings_get_work, NULL},
    {"settings.list", settings_list_work, NULL},
    {NULL, NULL, NULL},
};
