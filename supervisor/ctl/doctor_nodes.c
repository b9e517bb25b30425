// Checks of running nodes: do they reach each other and their contacts, is anything kept from being exchanged?
#include "supervisor/ctl/doctor.h"

#include <string.h>

#include "base/bytes.h"
#include "supervisor/ctl/names.h"

enum { NAMED = 5 };

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL ? text : "";
}

static bool is_running(const json_t *status, const char *node)
{
    const json_t *shown = json_object_get(status, node);
    bool silent = strcmp(text_of(json_object_get(shown, "failure"), "code"), "NODE-DOWN") == 0;
    return strcmp(text_of(shown, "state"), "running") == 0 && !silent;
}

static void add_printed(struct doctor *d, const char *check, bool ok, struct buf *message, const char *advice)
{
    doctor_add(d, check, ok, buf_cstr(message), advice);
    buf_clear(message);
}

// ---- The two nodes -------------------------------------------------------------------------------------------------

static json_t *ask(struct ctl *c, const char *node, const char *method, struct error *e)
{
    return ctl_list(c, method, json_pack("{s:s}", "node", node), e);
}

static const json_t *endpoint_of(const json_t *endpoints, const char *person)
{
    size_t i;
    json_t *endpoint;
    json_array_foreach(endpoints, i, endpoint)
    {
        if (strcmp(text_of(endpoint, "personId"), person) == 0)
            return endpoint;
    }
    return NULL;
}

static void check_federation(struct doctor *d, struct ctl *c, const json_t *status)
{
    struct buf message = {0};
    struct error e = {0};
    json_t *endpoints = ask(c, "sparse", "endpoints.list", &e);
    if (endpoints == NULL) {
        doctor_add_unknown(d, "endpoint", "sparse", &e);
        return;
    }
    const json_t *found = endpoint_of(endpoints, text_of(json_object_get(status, "archive"), "personId"));
    bool federated = json_is_true(json_object_get(status, "federated"));
    buf_add_text(&message, found != NULL ? text_of(found, "url") : "the sparse node does not know the archive");
    add_printed(d, "endpoint", found != NULL, &message, "Pair the nodes: 'tandem provision'.");
    buf_printf(&message, "the sparse node's way to the archive is %s",
               found != NULL ? text_of(found, "state") : "unknown");
    if (found != NULL && json_integer_value(json_object_get(found, "failures")) > 0)
        buf_printf(&message, " after %lld failures", (long long)json_integer_value(json_object_get(found, "failures")));
    add_printed(d, "federation", federated, &message, "See 'tandem log --grep connection' and 'tandem endpoints'.");
    json_decref(endpoints);
    buf_free(&message);
}

// ---- What each has to give -----------------------------------------------------------------------------------------

static bool is_shared(const json_t *shares, const char *hash, const char *person)
{
    size_t i, k;
    json_t *share, *with;
    json_array_foreach(shares, i, share)
    {
        if (strcmp(text_of(share, "hash"), hash) != 0)
            continue;
        json_array_foreach(json_object_get(share, "persons"), k, with)
        {
            if (strcmp(json_string_value(with), person) == 0)
                return true;
        }
    }
    return false;
}

static void check_shares(struct doctor *d, struct ctl *c, const char *node, const char *other)
{
    struct buf message = {0};
    size_t i;
    size_t alone = 0;
    json_t *channel;
    struct error e = {0};
    json_t *channels = ask(c, node, "channel.list", &e);
    json_t *shares = channels != NULL ? ask(c, node, "share.list", &e) : NULL;
    if (shares == NULL) {
        doctor_add_unknown(d, "shares", node, &e);
        json_decref(channels);
        return;
    }
    json_array_foreach(channels, i, channel)
    {
        bool from_there = strcmp(text_of(channel, "owner"), other) == 0;
        alone += !from_there && !is_shared(shares, text_of(channel, "channel"), other);
    }
    buf_printf(&message, "%s: %zu channels, %zu of them not shared with the other node", node,
               json_array_size(channels), alone);
    add_printed(d, "shares", alone == 0, &message,
                "Share them: tandem share grant --id CHANNEL --with PERSON; see 'channel list', 'share list'.");
    json_decref(channels);
    json_decref(shares);
    buf_free(&message);
}

static void check_content(struct doctor *d, struct ctl *c, const char *node)
{
    struct error e = {0};
    struct buf message = {0};
    long long wanted = 0;
    size_t i;
    json_t *usage;
    json_t *storage = ctl_call(c, "storage", json_pack("{s:s}", "node", node), &e);
    if (storage == NULL) {
        doctor_add_unknown(d, "content", node, &e);
        return;
    }
    json_array_foreach(json_object_get(storage, "items"), i, usage)
    {
        if (strcmp(text_of(usage, "state"), "wanted") == 0)
            wanted += json_integer_value(json_object_get(usage, "objects"));
    }
    buf_printf(&message, "%s: %lld objects are missing", node, wanted);
    add_printed(d, "content", wanted == 0, &message,
                "They come with the next synchronisation if somebody has them; 'tandem repair' asks at once and says "
                "what nobody has.");
    json_decref(storage);
    buf_free(&message);
}

// ---- Whom they reach -----------------------------------------------------------------------------------------------

static void add_name(struct buf *message, const json_t *contacts, const char *person)
{
    size_t i;
    const json_t *contact;
    json_t *shown = NULL;
    json_array_foreach(contacts, i, contact)
    {
        bool local = text_of(contact, "localName")[0] != '\0';
        if (shown == NULL && strcmp(text_of(contact, "personId"), person) == 0)
            shown = names_shown(json_object_get(contact, local ? "localName" : "name"), person);
    }
    if (json_is_string(shown))
        buf_add_text(message, json_string_value(shown));
    else
        buf_printf(message, "%.12s", person);
    json_decref(shown);
}

// Somebody who is away is no fault of this installation.
static void check_contacts(struct doctor *d, struct ctl *c, const char *node, const json_t *health)
{
    struct error e = {0};
    struct buf message = {0};
    const json_t *unreached = json_object_get(health, "unreached");
    json_t *contacts = json_array_size(unreached) != 0 ? ask(c, node, "contacts.list", &e) : NULL;
    buf_printf(&message, "%s: %lld of %lld connected", node,
               (long long)json_integer_value(json_object_get(health, "reached")),
               (long long)json_integer_value(json_object_get(health, "contacts")));
    for (size_t i = 0; i < json_array_size(unreached) && i < NAMED; i++) {
        buf_add_text(&message, i == 0 ? "; not now: " : ", ");
        add_name(&message, contacts, json_string_value(json_array_get(unreached, i)));
    }
    add_printed(d, "contacts", true, &message, NULL);
    json_decref(contacts);
    buf_free(&message);
}

static void check_health(struct doctor *d, struct ctl *c, const char *node)
{
    struct error e = {0};
    struct buf message = {0};
    json_t *health = ctl_call(c, "health", json_pack("{s:s}", "node", node), &e);
    if (health == NULL) {
        doctor_add_unknown(d, "synchronisation", node, &e);
        return;
    }
    json_int_t stuck = json_integer_value(json_object_get(health, "stuck"));
    buf_printf(&message, "%s: %lld things that fail again and again", node, (long long)stuck);
    add_printed(d, "synchronisation", stuck == 0, &message, "See 'tandem log --grep sync.stuck'.");
    check_contacts(d, c, node, health);
    const char *word = json_string_value(json_object_get(health, "health"));
    d->degraded = d->degraded || word == NULL || strcmp(word, "healthy") != 0;
    json_decref(health);
    buf_free(&message);
}

// Of the own nodes only: what a contact does is not ours to mend.
static void check_copies(struct doctor *d, const json_t *status, const char *node)
{
    struct buf message = {0};
    size_t i;
    json_t *warning;
    bool alone = true;
    json_array_foreach(json_object_get(json_object_get(status, node), "warnings"), i, warning)
    {
        alone = alone && strncmp(json_string_value(warning), "INSTANCE-TWICE", strlen("INSTANCE-TWICE")) != 0;
    }
    buf_printf(&message, "%s: %s", node,
               alone ? "no other copy of it was met" : "another copy of this installation runs somewhere");
    add_printed(d, "copies", alone, &message, "Stop one of them; see 'tandem log --grep instance.twice'.");
    buf_free(&message);
}

void doctor_nodes(struct doctor *d, struct ctl *c, const json_t *status)
{
    static const char *const nodes[] = {"archive", "sparse"};
    if (is_running(status, "archive"))
        doctor_listeners(d, c, json_object_get(json_object_get(status, "archive"), "listeners"));
    if (!is_running(status, "archive") || !is_running(status, "sparse"))
        return;
    check_federation(d, c, status);
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        check_shares(d, c, nodes[i], text_of(json_object_get(status, nodes[1 - i]), "personId"));
        check_content(d, c, nodes[i]);
        check_health(d, c, nodes[i]);
        check_copies(d, status, nodes[i]);
    }
}
