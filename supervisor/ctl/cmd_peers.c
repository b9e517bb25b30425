// invite, pair, contacts, contact, endpoints, connections.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "ipc/invitation.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/names.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/qr.h"

enum { NAME_MS = 4000, LOOK_MS = 50 }; // after a pairing

// What does not fit is not printed: no scanner reads a code that the terminal has folded.
static enum status print_qr(const char *text, struct error *e)
{
    struct buf qr = {0};
    struct error why = {0};
    int columns = output_terminal_columns();
    enum status s = qr_blocks(text, columns, &qr, &why);
    fwrite(qr.data, 1, qr.len, stdout);
    buf_free(&qr);
    if (s == STATUS_TOO_BIG && columns != 0) {
        fprintf(stderr, "%s. Make it larger, or write a picture: --qr-file invitation.png\n", why.message);
        return STATUS_OK;
    }
    return s == STATUS_OK ? s : error_set(e, s, why.code, "%s", why.message);
}

// ---- Whom an invitation can reach -----------------------------------------------------------------------------------

static void say_reach(const char *url)
{
    struct ws_url parts;
    if (ws_url_parse(url, &parts, NULL) != STATUS_OK)
        return;
    switch (address_reach(parts.host)) {
    case ADDRESS_MACHINE:
        fprintf(stderr,
                "warning: %s reaches programs on this machine only. For others: 'tandem up --listen', --public-url\n"
                "or --relay, see 'tandem up --help'.\n",
                url);
        break;
    case ADDRESS_NETWORK:
        fprintf(stderr, "%s reaches who is in the same network.\n", url);
        break;
    case ADDRESS_WORLD:
        fprintf(stderr, "%s reaches anybody, as far as routers and firewalls let it.\n", url);
        break;
    case ADDRESS_NAME:
        fprintf(stderr, "%s reaches whoever finds %s by that name.\n", url, parts.host);
        break;
    }
}

// At a relay it is the archive's registration that counts.
static bool say_relay(struct ctl *c, const char *url)
{
    struct error e = {0};
    size_t i;
    json_t *l;
    bool is_relay = false;
    json_t *status = ctl_call(c, "status", NULL, &e);
    json_array_foreach(json_object_get(json_object_get(status, "archive"), "listeners"), i, l)
    {
        const char *state = json_string_value(json_object_get(l, "state"));
        const char *type = json_string_value(json_object_get(l, "type"));
        const char *at = json_string_value(json_object_get(l, "url"));
        if (state == NULL || type == NULL || at == NULL || strcmp(type, "relay") != 0 || strcmp(at, url) != 0)
            continue;
        is_relay = true;
        if (strcmp(state, "listening") != 0)
            fprintf(stderr, "warning: the relay %s is away (%s); until it is back nobody is reached there.\n", url,
                    state);
    }
    json_decref(status);
    return is_relay;
}

// Invitations are made where nobody looks names up.
static enum status add_guest(struct ctl *c, json_t *params, struct error *e)
{
    struct hash id;
    if (!ctl_has(c, "for"))
        return STATUS_OK;
    json_t *who = json_string(ctl_value(c, "for"));
    if (!hash_parse(span_of(json_string_value(who)), &id)) {
        json_t *profile = ctl_call(c, "profile.get", json_pack("{s:o}", "person", who), e);
        who = json_incref(json_object_get(profile, "personId"));
        json_decref(profile);
    }
    if (who == NULL)
        return e->status;
    json_object_set_new(params, "for", who);
    return STATUS_OK;
}

static json_t *invite_params(struct ctl *c, struct error *e)
{
    int64_t ttl;
    if (ctl_number(c, "ttl", 0, CTL_ASKED_SAYS, &ttl, e) != STATUS_OK)
        return NULL;
    if (ctl_has(c, "qr-file") && qr_check(ctl_value(c, "qr-file"), e) != STATUS_OK)
        return NULL;
    json_t *params = json_object();
    if (ctl_has(c, "keep"))
        json_object_set_new(params, "keep", json_true());
    if (ctl_has(c, "ttl"))
        json_object_set_new(params, "ttl", json_integer(ttl));
    if (ctl_has(c, "via"))
        json_object_set_new(params, "via", json_string(ctl_value(c, "via")));
    if (add_guest(c, params, e) != STATUS_OK) {
        json_decref(params);
        return NULL;
    }
    return params;
}

static enum status hand_out(const struct ctl *c, const struct invitation *invitation, struct error *e)
{
    struct buf text = {0};
    struct buf link = {0};
    enum status s = STATUS_OK;
    invitation_print(invitation, &text);
    invitation_link(invitation, &link);
    if (ctl_has(c, "qr-file"))
        s = qr_write(buf_cstr(&link), ctl_value(c, "qr-file"), e);
    if (s == STATUS_OK && ctl_has(c, "qr") && !c->json)
        s = print_qr(buf_cstr(&link), e);
    if (s == STATUS_OK)
        puts(ctl_has(c, "link") && !c->json ? buf_cstr(&link) : buf_cstr(&text));
    if (s == STATUS_OK && output_failed())
        s = error_set(e, STATUS_IO, "IO", "the invitation could not be printed");
    buf_free(&text);
    buf_free(&link);
    return s;
}

// Nobody is to wait for somebody whom the invitation never reached, and nobody else is to find it.
static void take_back(struct ctl *c, const struct invitation *invitation, struct error *e)
{
    struct error why = {0};
    json_t *result = ctl_call(c, "pairing.revoke", json_pack("{s:s}", "invitation", invitation->token), &why);
    error_prefix(e, result != NULL ? "the invitation was revoked" : "the invitation is still valid");
    json_decref(result);
}

enum status run_invite(struct ctl *c, struct error *e)
{
    struct invitation invitation = {0};
    json_t *params = invite_params(c, e);
    json_t *result = params != NULL ? ctl_call(c, "pairing.invite", params, e) : NULL;
    enum status s = result != NULL ? invitation_read(result, &invitation, e) : e->status;
    json_decref(result);
    if (s == STATUS_OK) {
        signal(SIGPIPE, SIG_IGN); // a reader that is gone is told like a full device
        s = hand_out(c, &invitation, e);
        if (s != STATUS_OK)
            take_back(c, &invitation, e);
        else if (!say_relay(c, invitation.url))
            say_reach(invitation.url);
        if (s == STATUS_OK && !c->json)
            fputs("Valid once, and not for long: 'tandem invite list'. On the other side: tandem pair -\n", stderr);
    }
    invitation_free(&invitation);
    return s;
}

// Whom the user means by this; NULL: nobody yet.
static json_t *find_profile(struct ctl *c, const json_t *who)
{
    struct error ignored = {0};
    return ctl_call(c, "profile.get", json_pack("{s:O}", "person", who), &ignored);
}

// The name that the other side gave itself, or after a while its e-mail, is understood.
static bool is_named(struct ctl *c, const json_t *person, bool by_email)
{
    json_t *profile = find_profile(c, person);
    const json_t *name = json_object_get(profile, "name");
    bool fits = json_is_string(name) && (by_email || !json_equal(name, json_object_get(profile, "email")));
    json_t *found = fits ? find_profile(c, name) : NULL;
    fits = found != NULL && json_equal(json_object_get(found, "personId"), person);
    json_decref(found);
    json_decref(profile);
    return fits;
}

// The contact comes to where the user looks a moment after the pairing, and its name after that.
static void await_name(struct ctl *c, const json_t *person)
{
    uint64_t began = clock_monotonic_ms();
    for (uint64_t ms = 0; json_is_string(person) && ms < NAME_MS; ms = clock_monotonic_ms() - began) {
        if (is_named(c, person, ms >= NAME_MS / 2))
            return;
        nanosleep(&(struct timespec){0, LOOK_MS * 1000000}, NULL);
    }
}

// Or that the invitation waits for its peer.
static enum status show_paired(struct ctl *c, json_t *paired, const struct error *e)
{
    static const struct output_column facts[] = {
        {"Paired with", "name", OUTPUT_TEXT},    {"Person", "personId", OUTPUT_TEXT},
        {"Instance", "instanceId", OUTPUT_TEXT}, {"Safety text", "safety", OUTPUT_TEXT},
        {"Waiting", "waiting", OUTPUT_TEXT},     {"Until", "until", OUTPUT_AGO},
        {"Why", "reason", OUTPUT_TEXT}};
    if (paired == NULL || c->json)
        return output_result(paired, e);
    if (json_is_string(json_object_get(paired, "personId"))) {
        const json_t *person = json_object_get(paired, "personId");
        json_t *profile = find_profile(c, person);
        json_object_set_new(paired, "name", names_shown(json_object_get(profile, "name"), json_string_value(person)));
        json_decref(profile);
        fputs("Compare the safety text with what the other side sees.\n", stderr);
    }
    return output_object(c, paired, facts, sizeof facts / sizeof *facts, e);
}

enum status run_pair(struct ctl *c, struct error *e)
{
    struct buf text = {0};
    struct invitation invitation = {0};
    int64_t seconds;
    enum status s = ctl_number(c, "wait-for", 0, CTL_ASKED_SAYS, &seconds, e);
    if (s != STATUS_OK)
        return s;
    if (strcmp(c->arguments[0], "-") == 0)
        s = ctl_read("-", INVITATION_TEXT_MAX, &text, e);
    else
        buf_add_text(&text, c->arguments[0]);
    if (s == STATUS_OK)
        s = invitation_parse(buf_span(&text), &invitation, e);
    buf_free(&text);
    if (s != STATUS_OK)
        return s;
    json_t *params =
        json_pack("{s:o}", "invitation", invitation_object(invitation.token, &invitation.public_key, invitation.url));
    invitation_free(&invitation);
    if (add_guest(c, params, e) != STATUS_OK) {
        json_decref(params);
        return e->status;
    }
    if (ctl_has(c, "wait") || ctl_has(c, "wait-for"))
        json_object_set_new(params, "wait", json_true());
    if (ctl_has(c, "wait-for"))
        json_object_set_new(params, "waitS", json_integer(seconds));
    json_t *paired = ctl_call(c, "pairing.accept", params, e);
    await_name(c, json_object_get(paired, "personId"));
    return show_paired(c, paired, e);
}

enum status run_pair_list(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"WAITING", "waiting", OUTPUT_TEXT}, {"URL", "url", OUTPUT_TEXT},
                                                   {"UNTIL", "until", OUTPUT_AGO},      {"NEXT", "nextAt", OUTPUT_AGO},
                                                   {"TRIES", "tries", OUTPUT_NUMBER},   {"WHY", "reason", OUTPUT_TEXT}};
    return output_list(c, ctl_list(c, "pairing.waiting", NULL, e), columns, sizeof columns / sizeof *columns,
                       "No invitation waits for its peer.", e);
}

enum status run_pair_cancel(struct ctl *c, struct error *e)
{
    json_t *result = ctl_call(c, "pairing.cancel", json_pack("{s:s}", "waiting", c->arguments[0]), e);
    return output_done(c, result, "It waits no more.", e);
}

enum status run_invite_list(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"INVITATION", "invitation", OUTPUT_TEXT},
                                                   {"EXPIRES", "expiresAt", OUTPUT_AGO},
                                                   {"KEPT", "kept", OUTPUT_YES},
                                                   {"IN USE", "inUse", OUTPUT_YES}};
    return output_list(c, ctl_list(c, "pairing.invitations", NULL, e), columns, sizeof columns / sizeof *columns,
                       "No unused invitations.", e);
}

enum status run_invite_revoke(struct ctl *c, struct error *e)
{
    json_t *result = ctl_call(c, "pairing.revoke", json_pack("{s:s}", "invitation", c->arguments[0]), e);
    return output_done(c, result, "It can no longer be used.", e);
}

// What the table shows beside the members: what we call it, and who of us is paired with it.
static void add_shown(json_t *contact)
{
    struct buf with = {0};
    size_t i;
    json_t *node;
    const char *person = json_string_value(json_object_get(contact, "personId"));
    const json_t *local = json_object_get(contact, "localName");
    const json_t *name = json_is_string(local) ? local : json_object_get(contact, "name");
    const char *own = json_is_string(name) ? json_string_value(name) : "";
    bool is_own = json_is_true(json_object_get(contact, "own"));
    json_object_set_new(contact, "shown", is_own ? json_sprintf("%s (own node)", own) : names_shown(name, person));
    if (json_is_false(json_object_get(contact, "enabled")))
        json_object_set_new(contact, "level", json_string("disabled"));
    json_array_foreach(json_object_get(contact, "pairedWith"), i, node)
        buf_printf(&with, "%s%s", i != 0 ? ", " : "", json_string_value(node));
    json_object_set_new(contact, "with", json_string(buf_cstr(&with)));
    buf_free(&with);
}

enum status run_contacts(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {
        {"PERSON", "personId", OUTPUT_ID},       {"NAME", "shown", OUTPUT_TEXT},
        {"E-MAIL", "email", OUTPUT_TEXT},        {"LEVEL", "level", OUTPUT_STATE},
        {"LAST SEEN", "lastSeenAt", OUTPUT_AGO}, {"PAIRED WITH", "with", OUTPUT_TEXT},
        {"UNREAD", "unread", OUTPUT_NUMBER},     {"TRUSTED", "trusted", OUTPUT_YES},
        {"AS", "identity", OUTPUT_AS},           {"SAFETY", "safety", OUTPUT_TEXT}};
    json_t *items = ctl_list(c, "contacts.list", json_pack("{s:b}", "unread", 1), e);
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        if (!c->json)
            add_shown(item);
    }
    return output_list(c, items, columns, sizeof columns / sizeof *columns, "No contacts yet; see 'tandem invite'.", e);
}

static void warn_of_others(const struct ctl *c, const json_t *result)
{
    struct buf name = {0};
    struct buf who = {0};
    size_t i;
    json_t *other;
    json_array_foreach(json_object_get(result, "others"), i, other)
        buf_printf(&who, "%s%.12s", i != 0 ? ", " : "", json_string_value(other));
    text_escape_controls(span_of(c->arguments[1]), &name);
    if (who.len != 0)
        fprintf(stderr, "warning: %s is called %s, too; %s\n", buf_cstr(&who), buf_cstr(&name),
                json_is_true(json_object_get(result, "ambiguous")) ? "name both by their ids"
                                                                   : "name that one by its id from now on");
    buf_free(&name);
    buf_free(&who);
}

enum status run_contact_name(struct ctl *c, struct error *e)
{
    json_t *params = json_pack("{s:s, s:s}", "person", c->arguments[0], "name", c->arguments[1]);
    json_t *result = ctl_call(c, "contact.name", params, e);
    warn_of_others(c, result);
    return c->json ? output_result(result, e) : output_done(c, result, "Done.", e);
}

static bool is_own_node(struct ctl *c, const char *word)
{
    struct error ignored = {0};
    char *person = names_person(c, word);
    json_t *status = ctl_call(c, "status", NULL, &ignored);
    const char *archive = json_string_value(json_object_get(json_object_get(status, "archive"), "personId"));
    const char *sparse = json_string_value(json_object_get(json_object_get(status, "sparse"), "personId"));
    bool is_own = (archive != NULL && strcmp(person, archive) == 0) || (sparse != NULL && strcmp(person, sparse) == 0);
    json_decref(status);
    free(person);
    return is_own;
}

// A node that is asked alone does it; without --node the installation refuses it.
static enum status confirm_cut(struct ctl *c, const char *verb, struct error *e)
{
    if (c->node == NULL || strcmp(verb, "enable") == 0 || !is_own_node(c, c->arguments[0]))
        return STATUS_OK;
    bool forgets = strcmp(verb, "forget") == 0;
    return ctl_confirm(c,
                       forgets
                           ? "That is your own other node. Cut the installation in two? Only 'tandem pair' of both "
                             "nodes joins them again."
                           : "That is your own other node. Cut the installation in two until 'tandem contact enable'?",
                       forgets ? "that is your own other node: forgetting it cuts the installation in two; nothing was "
                                 "changed"
                               : "that is your own other node: disabling it cuts the installation in two; nothing was "
                                 "changed",
                       e);
}

enum status run_contact_change(struct ctl *c, struct error *e)
{
    char method[32];
    const char *second = strchr(c->command->name, ' '); // "contact enable" is also called "enable"
    const char *verb = second != NULL ? second + 1 : c->command->name;
    snprintf(method, sizeof method, "contact.%s", verb);
    if (confirm_cut(c, verb, e) != STATUS_OK)
        return e->status;
    struct hash id;
    json_t *params = json_pack("{s:s}", "person", c->arguments[0]);
    if (ctl_has(c, "wipe")) {
        if (!hash_parse(span_of(c->arguments[0]), &id)) {
            json_decref(params);
            return ctl_usage(e, "with --wipe the person is given by its whole id");
        }
        json_object_set_new(params, "wipe", json_true());
    }
    return output_done(c, ctl_call(c, method, params, e), "Done.", e);
}

void connections_print(struct ctl *c, json_t *connections)
{
    static const struct output_column columns[] = {{"PERSON", "remotePersonId", OUTPUT_ID},
                                                   {"NAME", "who", OUTPUT_TEXT},
                                                   {"PROTOCOL", "protocol", OUTPUT_TEXT},
                                                   {"STATE", "state", OUTPUT_STATE},
                                                   {"DIR", "direction", OUTPUT_TEXT},
                                                   {"VIA", "transport", OUTPUT_TEXT},
                                                   {"SENT", "bytesSent", OUTPUT_BYTES},
                                                   {"RECEIVED", "bytesReceived", OUTPUT_BYTES},
                                                   {"LATENCY", "latencyMs", OUTPUT_MS},
                                                   {"OPENED", "openedAt", OUTPUT_AGO},
                                                   {"URL", "url", OUTPUT_TEXT}};
    json_t *names = names_load(c);
    names_add(connections, "remotePersonId", names);
    output_table(connections, columns, sizeof columns / sizeof *columns, "No connections.");
    json_decref(names);
}

enum status run_connections(struct ctl *c, struct error *e)
{
    json_t *items = ctl_list(c, "connections.list", json_pack("{s:b}", "ended", ctl_has(c, "ended")), e);
    if (items == NULL || c->json)
        return output_result(items, e);
    connections_print(c, items);
    json_decref(items);
    return STATUS_OK;
}

enum status run_endpoints(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {
        {"PERSON", "personId", OUTPUT_ID}, {"INSTANCE", "instanceId", OUTPUT_ID},   {"STATE", "state", OUTPUT_STATE},
        {"URL", "url", OUTPUT_TEXT},       {"FAILURES", "failures", OUTPUT_NUMBER}, {"NEXT", "nextAt", OUTPUT_AGO}};
    return output_list(c, ctl_list(c, "endpoints.list", NULL, e), columns, sizeof columns / sizeof *columns,
                       "No contacts yet; see 'tandem invite'.", e);
}
