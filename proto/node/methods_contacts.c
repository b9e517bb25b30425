// Control methods on contacts: contacts.list, contact.*.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ipc/contacts.h"
#include "models/apart.h"
#include "models/chat.h"
#include "models/contact.h"
#include "models/deletion.h"
#include "models/names.h"
#include "models/readstate.h"
#include "models/selves.h"
#include "models/sharing.h"
#include "models/way.h"
#include "node/author.h"
#include "node/face.h"
#include "node/json.h"
#include "node/known.h"
#include "node/methods.h"
#include "node/node_internal.h"
#include "node/page.h"
#include "node/params.h"
#include "node/peers.h"
#include "node/seen.h"

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

static json_t *show(const struct model *m, const struct contact *c)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:b}", "personId", node_json_hash(&c->person),
                     "identity", node_json_hash(&m->self->person), "name", node_json_name(c->name), "email",
                     node_json_name(c->email), "trusted", (int)c->trusted, "enabled", (int)!c->disabled, "safety",
                     text_or_null(c->safety), "instances", show_instances(c), "connected", 0);
}

// ---- What only a look at each says ----------------------------------------------------------------------------------

static enum status add_paired(struct node_job *job, struct model *m, const struct hash *person, json_t *item,
                              struct error *e)
{
    bool archive = job->node->kind->program == WALL_ARCHIVE || m->self->elsewhere; // what is paired is with its node
    bool here = contact_is_paired(m, person);
    bool there = false;
    bool own = sharing_is_own_node(m, person);
    struct hash other;
    enum status st = STATUS_OK;
    if (!own && !m->self->elsewhere && sharing_own_node(m, &other, NULL) == STATUS_OK)
        st = way_paired_with(m, &other, person, &there, e);
    json_t *with = json_array();
    if (archive ? here : there)
        json_array_append_new(with, json_string("archive"));
    if (archive ? there : here)
        json_array_append_new(with, json_string("sparse"));
    json_object_set_new(item, "pairedWith", with);
    json_object_set_new(item, "own", json_boolean(own));
    return st;
}

// Of this node's conversation with the person; for the installation of that of both.
static enum status add_unread(struct node_job *job, struct model *m, const struct hash *person, json_t *item,
                              struct error *e)
{
    struct way_topics topics = {.count = 1};
    struct readstate r;
    enum status st = face_is(job) ? way_conversation(m, person, &topics, e) : chat_with(m, person, &topics.items[0], e);
    if (st == STATUS_NOT_FOUND) { // nothing was said yet
        error_clear(e);
        topics.count = 0;
        st = STATUS_OK;
    }
    if (st == STATUS_OK)
        st = readstate_get(m, topics.items, topics.count, &r, e);
    if (st == STATUS_OK)
        json_object_set_new(item, "unread", json_integer((json_int_t)r.unread));
    return st;
}

static enum status add_state(struct node_job *job, struct model *m, json_t *item, struct error *e)
{
    struct hash person;
    struct span name;
    if (!hash_parse(span_of(json_string_value(json_object_get(item, "personId"))), &person))
        return STATUS_OK;
    enum status st = add_paired(job, m, &person, item, e);
    if (st == STATUS_OK)
        st = names_local(m, &person, &name, e);
    if (st == STATUS_OK && ipc_request_bool(job->request, P_unread, false))
        st = add_unread(job, m, &person, item, e);
    if (st != STATUS_OK)
        return st;
    int64_t seen = seen_last(m->store, m->arena, &person);
    json_object_set_new(item, "localName", name.len != 0 ? node_json_name(name) : json_null());
    json_object_set_new(item, "lastSeenAt", seen != 0 ? json_integer(seen) : json_null());
    if (face_is(job))
        known_fill(m, &person, item);
    return STATUS_OK;
}

// As its identity sees each.
static enum status add_states(struct node_job *job, struct model *m, struct error *e)
{
    size_t i;
    json_t *item;
    struct selves further;
    struct model as_it = *m;
    enum status st = node_job_identities(job, m, &further, e);
    json_array_foreach(json_object_get(job->result, "items"), i, item)
    {
        struct hash identity = {{0}};
        (void)hash_parse(span_of(json_string_value(json_object_get(item, "identity"))), &identity);
        as_it.self = m->self;
        for (size_t k = 0; k < further.count; k++)
            if (hash_eq(&further.items[k]->person, &identity))
                as_it.self = further.items[k];
        if (st == STATUS_OK)
            st = add_state(job, &as_it, item, e);
    }
    selves_free(&further);
    return st;
}

static enum status list(struct model *m, json_t *items, struct error *e)
{
    struct contacts contacts = {0};
    enum status st = contact_list(m, &contacts, e);
    for (size_t i = 0; st == STATUS_OK && i < contacts.count; i++)
        json_array_append_new(items, show(m, &contacts.items[i]));
    return st;
}

static enum status list_of_others(struct node_job *job, struct model *m, json_t *items, struct error *e)
{
    struct selves others;
    struct model other = *m;
    enum status st = node_job_identities(job, m, &others, e);
    for (size_t i = 0; st == STATUS_OK && i < others.count; i++) {
        other.self = others.items[i];
        st = list(&other, items, e);
    }
    selves_free(&others);
    return st;
}

static enum status contacts_list(struct node_job *job, struct model *m, struct error *e)
{
    json_t *items = json_array();
    enum status st = list(m, items, e);
    if (st == STATUS_OK && ipc_request_text(job->request, P_as) == NULL)
        st = list_of_others(job, m, items, e);
    st = node_job_listed(job, st, items);
    return st == STATUS_OK ? add_states(job, m, e) : st;
}

// The same of some, for the list that the sparse node makes for the installation.
static enum status contacts_of(struct node_job *job, struct model *m, struct error *e)
{
    struct hash_list persons = {0};
    struct hash person;
    json_t *items = json_array();
    enum status st = node_job_hashes(job, P_persons, &persons, e);
    if (st == STATUS_OK)
        st = list(m, items, e);
    if (st == STATUS_OK)
        st = list_of_others(job, m, items, e);
    for (size_t i = json_array_size(items); persons.count != 0 && i-- > 0;)
        if (!hash_parse(span_of(json_string_value(json_object_get(json_array_get(items, i), "personId"))), &person) ||
            !hash_list_has(&persons, &person))
            json_array_remove(items, i);
    hash_list_free(&persons);
    for (size_t fit = node_job_fit(items, 0, json_array_size(items)); json_array_size(items) > fit;)
        json_array_remove(items, json_array_size(items) - 1);
    job->result = json_pack("{s:o}", "items", items);
    return st == STATUS_OK ? add_states(job, m, e) : st;
}

static enum status keep_known(struct node_job *job, struct model *m, struct error *e)
{
    size_t i;
    const json_t *item;
    enum status st = STATUS_OK;
    json_array_foreach(ipc_request_json(job->request, P_items), i, item)
    {
        if (st == STATUS_OK)
            st = known_keep(m, item, e);
    }
    return st;
}

static void add_connected(struct node_job *job)
{
    size_t i;
    json_t *item;
    struct hash person;
    struct hash identity;
    json_array_foreach(json_object_get(job->result, "items"), i, item)
    {
        if (!hash_parse(span_of(json_string_value(json_object_get(item, "personId"))), &person) ||
            !hash_parse(span_of(json_string_value(json_object_get(item, "identity"))), &identity))
            continue;
        bool connected = peers_connected(node_peers(job->node), &identity, &person);
        json_object_set_new(item, "connected", json_boolean(connected));
        if (connected)
            json_object_set_new(item, "lastSeenAt", json_integer(clock_wall_ms()));
        json_object_set_new(item, "level", json_string(ipc_contact_level(item)));
    }
}

// ---- Changing -------------------------------------------------------------------------------------------------------

static enum status contact_name(struct node_job *job, struct model *m, struct error *e)
{
    struct hash_list others = {0};
    bool ambiguous;
    enum status st = node_job_hash(job, P_person, &job->subject, e);
    if (st == STATUS_OK)
        st = names_set_local(m, &job->subject, node_job_text(job, P_name), e);
    if (st == STATUS_OK)
        st = names_others(m, &job->subject, node_job_text(job, P_name), &others, &ambiguous, e);
    if (st == STATUS_OK) {
        json_t *list = json_array();
        for (size_t i = 0; i < others.count; i++)
            json_array_append_new(list, node_json_hash(&others.items[i]));
        job->result = json_pack("{s:o, s:b}", "others", list, "ambiguous", (int)ambiguous);
    }
    hash_list_free(&others);
    return st;
}

// Whom this node is not paired with it knows from the archive, which may know somebody a moment earlier.
static bool may_be_archives(const struct node_job *job, struct model *m, const struct hash *person)
{
    return !contact_is_paired(m, person) && (contact_exists(m, person) || !face_is_alone(job));
}

// For the installation the archive does the same with whom it is paired with, too; what follows here stays ours.
static enum status tell_archive(struct node_job *job, struct model *m, const char *method, struct error *e)
{
    const struct hash *person = &job->subject;
    struct hash archive;
    bool paired = false;
    json_t *wipe = ipc_request_json(job->request, P_wipe);
    if (!face_is(job))
        return STATUS_OK;
    if (way_is_self(m, person) && strcmp(method, "contact.enable") != 0)
        return error_set(e, STATUS_REFUSED, "OWN-NODE", "%.12s is one of our own nodes", hash_text(person).s);
    if (way_is_self(m, person) || sharing_own_node(m, &archive, NULL) != STATUS_OK)
        return STATUS_OK;
    enum status st = way_paired_with(m, &archive, person, &paired, e);
    if (st == STATUS_OK && (paired || may_be_archives(job, m, person))) {
        st = face_defer(job, m, method,
                        json_pack("{s:o, s:O*, s:O*}", "person", node_json_hash(person), "wipe", wipe, "as",
                                  ipc_request_json(job->request, P_as)),
                        e);
        job->intent.deferred = false;
    }
    return st;
}

// It came before, and what was ours to do was done then.
static bool was_left_to_archive(const struct node_job *job, struct model *m)
{
    return job->intent.op.len != 0 && !contact_exists(m, &job->subject);
}

static bool is_for_one(const struct node_job *job)
{
    return ipc_request_text(job->request, P_as) != NULL;
}

// What was said with the person and what it gave, as far as this node has it.
static enum status wipe_contact(struct node_job *job, struct model *m, struct error *e)
{
    struct way_topics topics;
    struct hash_list channels = {0};
    bool shared = is_for_one(job) && apart_is_shared(m, &job->subject); // what it gave, it gave to the others, too
    if (!ipc_request_bool(job->request, P_wipe, false))
        return STATUS_OK;
    enum status st = way_conversation(m, &job->subject, &topics, e);
    if (st == STATUS_OK)
        st = way_channels(m, topics.items, topics.count, &channels, e);
    if (st == STATUS_OK)
        st = deletion_of_channels(m, &channels, e);
    if (st == STATUS_OK && !shared)
        st = deletion_of_given(m, &job->subject, e);
    hash_list_free(&channels);
    return st;
}

static enum status contact_forget_work(struct node_job *job, struct model *m, struct error *e)
{
    enum status st = node_job_hash(job, P_person, &job->subject, e);
    if (st == STATUS_OK)
        st = tell_archive(job, m, "contact.forget", e);
    if (st == STATUS_OK && face_is(job))
        st = face_give_up(job, m, &job->subject, e);
    if (st == STATUS_OK)
        st = wipe_contact(job, m, e);
    if (st == STATUS_OK)
        st = known_forget(m, &job->subject, e);
    if (st != STATUS_OK || was_left_to_archive(job, m))
        return st;
    bool archive_does = job->intent.op.len != 0;
    return is_for_one(job) ? contact_forget_alone(m, &job->subject, !archive_does, e)
                           : contact_forget(m, &job->subject, e);
}

// Who is shut out is so for all identities, so none alone is asked for what it shares with the main one.
static enum status refuse_for_one(struct node_job *job, struct model *m, struct error *e)
{
    struct selves further;
    struct model as_it = *m;
    as_it.self = node_self(job->node);
    if (ipc_request_text(job->request, P_as) == NULL || !contact_exists(&as_it, &job->subject))
        return STATUS_OK;
    enum status st = node_job_identities(job, m, &further, e);
    for (size_t i = 0; st == STATUS_OK && i < further.count; i++) {
        as_it.self = further.items[i];
        if (contact_exists(&as_it, &job->subject))
            st = error_set(e, STATUS_REFUSED, "REFUSED",
                           "%.12s is a contact of several identities: only for all, without 'as'",
                           hash_text(&job->subject).s);
    }
    selves_free(&further);
    return st;
}

static enum status set_disabled(struct node_job *job, struct model *m, bool disabled, struct error *e)
{
    enum status st = node_job_hash(job, P_person, &job->subject, e);
    if (st == STATUS_OK)
        st = refuse_for_one(job, m, e);
    if (st == STATUS_OK)
        st = tell_archive(job, m, disabled ? "contact.disable" : "contact.enable", e);
    return st == STATUS_OK && !was_left_to_archive(job, m) ? contact_set_disabled(m, &job->subject, disabled, e) : st;
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

// self: as in peers_close_person.
static void close_connections(struct node_job *job, const struct hash *self)
{
    peers_close_person(node_peers(job->node), self, &job->subject, "closeConnections called by user.");
    peers_refresh(node_peers(job->node));
}

static void close_forgotten(struct node_job *job)
{
    close_connections(job, is_for_one(job) ? &job->model.self->person : NULL);
    face_gave_up(job);
    deliveries_changed(job->node->deliveries);
    tell(job, "contact.forgotten");
}

static void tell_changed(struct node_job *job)
{
    tell(job, "contact.changed");
}

static void close_disabled(struct node_job *job)
{
    close_connections(job, NULL);
    tell(job, "contact.changed");
}

static void open_connections(struct node_job *job)
{
    tell(job, "contact.changed");
    peers_refresh(node_peers(job->node));
}

const struct node_method NODE_METHODS_CONTACTS[] = {
    {"contacts.list", contacts_list, add_connected},
    {"node.contacts", contacts_of, add_connected},
    {"node.known", keep_known, NULL},
    {"contact.name", contact_name, tell_changed},
    {"contact.forget", contact_forget_work, close_forgotten},
    {"contact.enable", contact_enable, open_connections},
    {"contact.disable", contact_disable, close_disabled},
    {NULL, NULL, NULL},
};
