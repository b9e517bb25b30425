// profile, group, identity, settings, channel, trust.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/names.h"
#include "supervisor/ctl/output.h"

enum { DIGITS_MIN = 8 }; // of an id

static void add_names(struct ctl *c, json_t *items, const char *member)
{
    json_t *names = c->json || items == NULL ? NULL : names_load(c);
    if (names != NULL)
        names_add(items, member, names);
    json_decref(names);
}

// --- profile and groups ----------------------------------------------------------------------------------------------

// What a description or an endpoint says, whatever its type calls it.
static void add_said(json_t *part)
{
    static const char *const names[] = {"name", "value", "number", "url", "image", "key", "hash"};
    for (size_t i = 0; i < sizeof names / sizeof *names && json_object_get(part, "said") == NULL; i++)
        if (json_is_string(json_object_get(part, names[i])))
            json_object_set(part, "said", json_object_get(part, names[i]));
}

static enum status show_profile(const struct ctl *c, json_t *profile, const struct error *e)
{
    static const struct output_column facts[] = {{"Name", "name", OUTPUT_TEXT},
                                                 {"E-mail", "email", OUTPUT_TEXT},
                                                 {"Person", "personId", OUTPUT_TEXT},
                                                 {"Profile", "profile", OUTPUT_TEXT},
                                                 {"Written by", "owner", OUTPUT_TEXT}};
    static const struct output_column columns[] = {{"SAYS", "type", OUTPUT_TEXT}, {"VALUE", "said", OUTPUT_TEXT}};
    size_t i;
    json_t *part;
    if (profile == NULL || c->json)
        return output_result(profile, e);
    json_t *parts = json_copy(json_object_get(profile, "descriptions"));
    json_array_extend(parts, json_object_get(profile, "endpoints"));
    json_array_foreach(parts, i, part) add_said(part);
    enum status s = output_object(c, profile, facts, sizeof facts / sizeof *facts, e);
    putchar('\n');
    output_table(parts, columns, sizeof columns / sizeof *columns, "It says nothing.");
    json_decref(parts);
    return s;
}

enum status run_profile_get(struct ctl *c, struct error *e)
{
    json_t *params = json_object();
    if (c->argument_count == 1)
        json_object_set_new(params, "person", json_string(c->arguments[0]));
    return show_profile(c, ctl_call(c, "profile.get", params, e), e);
}

enum status run_profile_set(struct ctl *c, struct error *e)
{
    static const char *const options[] = {"name", "status", "organisation", "image", "mail", "phone"};
    json_t *params = json_object();
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        ctl_add(c, params, options[i], options[i]);
    if (json_object_size(params) == 0) {
        json_decref(params);
        return ctl_usage(e, "profile set wants at least one of its options");
    }
    return show_profile(c, ctl_call(c, "profile.set", params, e), e);
}

enum status run_group_create(struct ctl *c, struct error *e)
{
    static const struct output_column facts[] = {{"Group", "groupId", OUTPUT_TEXT}};
    json_t *params = json_pack("{s:s, s:o}", "name", c->arguments[0], "persons", ctl_values(c, "person"));
    return output_object(c, ctl_call(c, "group.create", params, e), facts, 1, e);
}

enum status run_group_change(struct ctl *c, struct error *e)
{
    char method[32];
    snprintf(method, sizeof method, "group.%s", strchr(c->command->name, ' ') + 1);
    json_t *params = json_pack("{s:s, s:s}", "group", c->arguments[0], "person", c->arguments[1]);
    return output_done(c, ctl_call(c, method, params, e), "Done.", e);
}

enum status run_group_list(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {
        {"GROUP", "groupId", OUTPUT_ID}, {"NAME", "name", OUTPUT_TEXT}, {"PERSONS", "who", OUTPUT_TEXT}};
    json_t *items = ctl_list(c, "group.list", NULL, e);
    json_t *names = c->json || items == NULL ? NULL : names_load(c);
    if (names != NULL)
        names_add_all(items, "persons", names);
    json_decref(names);
    return output_list(c, items, columns, 3, "No groups.", e);
}

// --- identities ------------------------------------------------------------------------------------------------------

enum status run_identity_list(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"PERSON", "personId", OUTPUT_ID},
                                                   {"E-MAIL", "email", OUTPUT_TEXT},
                                                   {"INSTANCE", "instanceName", OUTPUT_TEXT},
                                                   {"MAIN", "main", OUTPUT_YES}};
    return output_list(c, ctl_list(c, "identity.list", NULL, e), columns, 4, "No identities.", e);
}

enum status run_identity_add(struct ctl *c, struct error *e)
{
    static const struct output_column facts[] = {{"Person", "personId", OUTPUT_TEXT},
                                                 {"E-mail", "email", OUTPUT_TEXT},
                                                 {"Instance", "instanceId", OUTPUT_TEXT},
                                                 {"Name of it", "instanceName", OUTPUT_TEXT}};
    json_t *params = json_pack("{s:s}", "email", c->arguments[0]);
    ctl_add(c, params, "instance", "instanceName");
    ctl_add(c, params, "name", "name");
    return output_object(c, ctl_call(c, "identity.add", params, e), facts, sizeof facts / sizeof *facts, e);
}

// --- settings --------------------------------------------------------------------------------------------------------

enum status run_settings_set(struct ctl *c, struct error *e)
{
    json_t *params =
        json_pack("{s:s, s:s, s:s}", "store", c->arguments[0], "key", c->arguments[1], "value", c->arguments[2]);
    return output_done(c, ctl_call(c, "settings.set", params, e), "Done.", e);
}

enum status run_settings_get(struct ctl *c, struct error *e)
{
    json_t *params = json_pack("{s:s, s:s}", "store", c->arguments[0], "key", c->arguments[1]);
    json_t *setting = ctl_call(c, "settings.get", params, e);
    if (setting == NULL || c->json)
        return output_result(setting, e);
    output_string(json_object_get(setting, "value"));
    putchar('\n');
    json_decref(setting);
    return STATUS_OK;
}

enum status run_settings_list(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"KEY", "key", OUTPUT_TEXT}, {"VALUE", "value", OUTPUT_TEXT}};
    json_t *items = ctl_list(c, "settings.list", json_pack("{s:s}", "store", c->arguments[0]), e);
    return output_list(c, items, columns, 2, "No settings.", e);
}

// --- channels --------------------------------------------------------------------------------------------------------

// The one channel that the list shows by these digits; NULL: none, or the word is the ID of one.
static json_t *find_channel(const json_t *channels, const char *digits)
{
    json_t *found = NULL;
    size_t i;
    json_t *channel;
    json_array_foreach(channels, i, channel)
    {
        if (strcmp(json_string_value(json_object_get(channel, "id")), digits) == 0)
            return NULL;
        if (strncmp(json_string_value(json_object_get(channel, "channel")), digits, strlen(digits)) != 0)
            continue;
        if (found != NULL)
            return NULL;
        found = channel;
    }
    return found;
}

// A channel is named by its ID, and its owner if need be; or as the list shows it, which says both.
static json_t *name_channel(struct ctl *c)
{
    struct error ignored = {0};
    const char *word = c->arguments[0];
    json_t *params = json_pack("{s:s}", "id", word);
    ctl_add(c, params, "owner", "owner");
    if (ctl_has(c, "owner") || strlen(word) < DIGITS_MIN || word[strspn(word, "0123456789abcdef")] != '\0')
        return params;
    json_t *channels = ctl_list(c, "channel.list", NULL, &ignored);
    json_t *channel = find_channel(channels, word);
    if (channel != NULL) {
        json_t *owner = json_object_get(channel, "owner");
        json_object_set(params, "id", json_object_get(channel, "id"));
        json_object_set_new(params, "owner", json_is_string(owner) ? json_incref(owner) : json_string("none"));
    }
    json_decref(channels);
    return params;
}

enum status run_channel_create(struct ctl *c, struct error *e)
{
    static const struct output_column facts[] = {{"Channel", "channel", OUTPUT_TEXT}};
    json_t *params = json_pack("{s:s}", "id", c->arguments[0]);
    ctl_add(c, params, "owner", "owner");
    return output_object(c, ctl_call(c, "channel.create", params, e), facts, 1, e);
}

enum status run_channel_post(struct ctl *c, struct error *e)
{
    static const struct output_column facts[] = {{"Entry", "hash", OUTPUT_TEXT}, {"Channel", "channel", OUTPUT_TEXT}};
    json_t *object = NULL;
    int64_t timestamp;
    if (ctl_number(c, "timestamp", 0, CTL_ASKED_SAYS, &timestamp, e) != STATUS_OK ||
        ctl_read_json("-", &object, e) != STATUS_OK) {
        json_decref(object);
        return e->status;
    }
    json_t *params = name_channel(c);
    json_object_set_new(params, "object", object);
    if (ctl_has(c, "timestamp"))
        json_object_set_new(params, "timestamp", json_integer(timestamp));
    return output_object(c, ctl_call(c, "channel.post", params, e), facts, 2, e);
}

static enum status show_entries(struct ctl *c, json_t *items, const struct error *e)
{
    static const struct output_column columns[] = {
        {"TIME", "timestamp", OUTPUT_TIME}, {"AUTHOR", "author", OUTPUT_ID},
        {"NAME", "who", OUTPUT_TEXT},       {"SIGNATURE", "verification", OUTPUT_STATE},
        {"HASH", "hash", OUTPUT_ID},        {"TYPE", "type", OUTPUT_TEXT},
        {"OBJECT", "shown", OUTPUT_TEXT}};
    size_t i;
    json_t *item;
    if (items == NULL || c->json)
        return output_result(items, e);
    json_array_foreach(items, i, item)
    {
        json_t *object = json_object_get(item, "object");
        json_object_set(item, "type", json_object_get(object, "$type$"));
        json_object_del(object, "$type$");
        json_object_set_new(item, "shown", output_members_text(object));
    }
    add_names(c, items, "author");
    return output_list(c, items, columns, sizeof columns / sizeof *columns, "No entries.", e);
}

enum status run_channel_read(struct ctl *c, struct error *e)
{
    int64_t limit;
    if (ctl_number(c, "limit", 50, CTL_LISTED_MAX, &limit, e) != STATUS_OK)
        return e->status;
    json_t *params = name_channel(c);
    json_object_set_new(params, "limit", json_integer(limit));
    json_t *result = ctl_call(c, "channel.read", params, e);
    json_t *items = json_incref(json_object_get(result, "items"));
    json_decref(result);
    return show_entries(c, items, e);
}

enum status run_channel_list(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"CHANNEL", "channel", OUTPUT_ID},
                                                   {"OWNER", "owner", OUTPUT_ID},
                                                   {"NAME", "who", OUTPUT_TEXT},
                                                   {"ID", "id", OUTPUT_TEXT}};
    json_t *items = ctl_list(c, "channel.list", NULL, e);
    add_names(c, items, "owner");
    return output_list(c, items, columns, sizeof columns / sizeof *columns, "No channels.", e);
}

// --- trust -----------------------------------------------------------------------------------------------------------

// The protocol gives one where trust is missing, and certificates where it is not.
static void add_reasons(const struct ctl *c, json_t *items)
{
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        const char *reason = json_string_value(json_object_get(item, "reason"));
        const json_t *certificate = json_array_get(json_object_get(item, "certificates"), 0);
        const char *type = json_string_value(json_object_get(certificate, "type"));
        if (!c->json && reason != NULL && reason[0] == '\0')
            json_object_set_new(item, "reason",
                                type != NULL ? json_sprintf("certified: %s", type) : json_string("certified"));
    }
}

enum status run_trust_list(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"PERSON", "personId", OUTPUT_ID},
                                                   {"NAME", "who", OUTPUT_TEXT},
                                                   {"KEY", "key", OUTPUT_ID},
                                                   {"TRUSTED", "trusted", OUTPUT_YES},
                                                   {"REASON", "reason", OUTPUT_TEXT}};
    json_t *params = json_object();
    if (c->argument_count == 1)
        json_object_set_new(params, "person", json_string(c->arguments[0]));
    json_t *items = ctl_list(c, "trust.list", params, e);
    add_reasons(c, items);
    add_names(c, items, "personId");
    return output_list(c, items, columns, sizeof columns / sizeof *columns, "No keys.", e);
}

enum status run_trust_certify(struct ctl *c, struct error *e)
{
    static const struct output_column facts[] = {{"Certificate", "certificate", OUTPUT_TEXT},
                                                 {"Signature", "signature", OUTPUT_TEXT}};
    const char *fields = ctl_value(c, "fields");
    json_t *params = json_pack("{s:s, s:s}", "certificate", c->arguments[0], "data", c->arguments[1]);
    json_t *object = fields != NULL ? json_loads(fields, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (fields != NULL && !json_is_object(object)) {
        json_decref(object);
        json_decref(params);
        return ctl_usage(e, "--fields wants a JSON object");
    }
    if (object != NULL)
        json_object_set_new(params, "fields", object);
    return output_object(c, ctl_call(c, "trust.certify", params, e), facts, 2, e);
}

// For people: what the key says of itself, too.
static void explain_keys(const struct ctl *c, json_t *items)
{
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        const char *reason = json_string_value(json_object_get(item, "reason"));
        const char *of_key = json_string_value(json_object_get(item, "keyReason"));
        if (!c->json && reason != NULL && of_key != NULL && of_key[0] != '\0')
            json_object_set_new(item, "reason", json_sprintf("%s%s%s", reason, reason[0] != '\0' ? ": " : "", of_key));
    }
    add_reasons(c, items);
}

enum status run_trust_verify(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"ISSUER", "issuer", OUTPUT_ID},
                                                   {"NAME", "who", OUTPUT_TEXT},
                                                   {"CERTIFICATE", "certificate", OUTPUT_TEXT},
                                                   {"TRUSTED", "trusted", OUTPUT_YES},
                                                   {"REASON", "reason", OUTPUT_TEXT}};
    json_t *result = ctl_call(c, "trust.verify", json_pack("{s:s}", "data", c->arguments[0]), e);
    json_t *items = json_incref(json_object_get(result, "items"));
    json_decref(result);
    explain_keys(c, items);
    add_names(c, items, "issuer");
    return output_list(c, items, columns, sizeof columns / sizeof *columns, "Nobody has signed it.", e);
}
