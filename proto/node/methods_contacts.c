// Control methods on contacts: contacts.list, contact.*.
#include "models/contact.h"
#include "node/methods.h"
#include "node/peers.h"

static json_t *text_or_null(struct span text)
{
    return text.len != 0 ? node_json_text(text) : json_null();
}

static json_t *show_instances(const struct contact *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->instance_count; i++)
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o}", "instanceId", node_json_hash(&c->instances[i].instance), "url",
                            text_or_null(c->instances[i].url), "safety", text_or_null(c->instances[i].safety)));
    return list;
}

static enum status contacts_list(struct node_job *job, struct model *m, struct error *e)
{
    struct contacts contacts = {0};
    enum status st = contact_list(m, &contacts, e);
    if (st != STATUS_OK)
        return st;
    json_t *items = json_array();
    for (size_t i = 0; i < contacts.count; i++) {
        const struct contact *c = &contacts.items[i];
        json_array_append_new(items, json_pack("{s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:b}", "personId",
                                               node_json_hash(&c->person), "name", node_json_name(c->name), "email",
                                               node_json_name(c->email), "trusted", (int)c->trusted, "enabled",
                                               (int)!c->disabled, "safety", text_or_null(c->safety), "instances",
                                               show_instances(c), "connected", 0));
    }
    node_job_page(job, items);
    return STATUS_OK;
}

static void add_connected(struct node_job *job)
{
    size_t i;
    json_t *item;
    struct hash person;
    json_array_foreach(json_object_get(job->result, "items"), i, item)
    {
        if (hash_parse(span_of(json_string_value(json_object_get(item, "personId"))), &person))
            json_object_set_new(item, "connected", json_boolean(peers_connected(node_peers(job->node), &person)));
    }
}

static enum status contact_forget_work(struct node_job *job, struct model *m, struct error *e)
{
    struct hash person;
    enum status st = node_job_hash(job, "person", &person, e);
    return st == STATUS_OK ? contact_forget(m, &person, e) : st;
}

static enum status set_disabled(struct node_job *job, struct model *m, bool disabled, struct error *e)
{
    struct hash person;
    enum status st = node_job_hash(job, "person", &person, e);
    if (st == STATUS_OK)
        st = contact_set_disabled(m, &person, disabled, e);
    if (st == STATUS_OK)
        job->subject = person;
    return st;
}

static enum status contact_enable(struct node_job *job, struct model *m, struct error *e)
{
    return set_disabled(job, m, false, e);
}

static enum status contact_disable(struct node_job *job, struct model *m, struct error *e)
{
    return set_disabled(job, m, true, e);
}

static void tell(struct node_job *job, const char *event)
{
    node_tell(job->node, event, json_pack("{s:o}", "personId", node_json_hash(&job->subject)));
}

static void close_connections(struct node_job *job)
{
    peers_close_person(node_peers(job->node), &job->subject, "closeConnections called by user.");
    peers_refresh(node_peers(job->node));
}

static void close_forgotten(struct node_job *job)
{
    if (!hash_parse(node_job_text(job, "person"), &job->subject))
        return;
    close_connections(job);
    tell(job, "contact.forgotten");
}

static void close_disabled(struct node_job *job)
{
    close_connections(job);
    tell(job, "contact.changed");
}

static void open_connections(struct node_job *job)
{
    tell(job, "contact.changed");
    peers_refresh(node_peers(job->node));
}

const struct node_method NODE_METHODS_CONTACTS[] = {
    {"contacts.list", contacts_list, add_connected},
    {"contact.forget", contact_forget_work, close_forgotten},
    {"contact.enable", contact_enable, open_connections},
    {"contact.disable", contact_disable, close_disabled},
    {NULL, NULL, NULL},
};
