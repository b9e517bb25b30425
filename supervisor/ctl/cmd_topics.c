// topic: conversations of several people, and who takes part in them; what is unread; chat search.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "supervisor/ctl/attach.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/names.h"
#include "supervisor/ctl/output.h"

enum status run_topic_create(struct ctl *c, struct error *e)
{
    bool everyone = ctl_has(c, "everyone");
    if (everyone == (ctl_has(c, "with") || ctl_has(c, "group")))
        return ctl_usage(e, "topic create wants --with PERSON or --group GROUP, or --everyone alone");
    static const struct output_column facts[] = {{"Topic", "topicId", OUTPUT_TEXT},
                                                 {"Channel", "channel", OUTPUT_TEXT}};
    json_t *params = json_pack("{s:o, s:b, s:b}", "persons", ctl_values(c, "with"), "everyone", everyone, "history",
                               ctl_has(c, "history"));
    ctl_add(c, params, "name", "name");
    ctl_add(c, params, "id", "id");
    ctl_add(c, params, "group", "group");
    return output_object(c, ctl_call(c, "topic.create", params, e), facts, 2, e);
}

// What to call it in commands: the chat with a person like the person.
static json_t *name_of(const json_t *topic)
{
    const char *with = json_string_value(json_object_get(topic, "with"));
    return with != NULL ? json_sprintf("%.12s", with) : json_incref(json_object_get(topic, "topicId"));
}

// Like the person in a chat with one; else as whoever made it chose.
static json_t *called(const json_t *names, const char *with, const char *topic, const json_t *name)
{
    json_t *person = with != NULL ? json_object_get(names, with) : NULL;
    return person != NULL ? json_incref(person) : names_shown(name, with != NULL ? with : topic);
}

enum status run_topic_list(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {
        {"NAME", "called", OUTPUT_TEXT}, {"TOPIC", "shown", OUTPUT_TEXT},      {"UNREAD", "unread", OUTPUT_NUMBER},
        {"LAST", "lastAt", OUTPUT_AGO},  {"PERSONS", "persons", OUTPUT_COUNT}, {"CHANNEL", "channel", OUTPUT_ID},
        {"AS", "identity", OUTPUT_AS}};
    size_t i;
    json_t *item;
    json_t *items = ctl_list(c, "topic.list", NULL, e);
    json_t *names = c->json ? NULL : names_load(c);
    json_array_foreach(items, i, item)
    {
        if (!c->json) {
            json_object_set_new(item, "shown", name_of(item));
            json_object_set_new(item, "called",
                                called(names, json_string_value(json_object_get(item, "with")),
                                       json_string_value(json_object_get(item, "topicId")),
                                       json_object_get(item, "name")));
        }
    }
    json_decref(names);
    return output_list(c, items, columns, sizeof columns / sizeof *columns, "No chats.", e);
}

enum status run_topic_members(struct ctl *c, struct error *e)
{
    static const struct output_column columns[] = {{"PERSON", "personId", OUTPUT_ID}, {"ROLE", "role", OUTPUT_TEXT}};
    json_t *items = ctl_list(c, "topic.members", json_pack("{s:s}", "topic", c->arguments[0]), e);
    return output_list(c, items, columns, 2, "Nobody has said who takes part.", e);
}

static enum status show_topic(const struct ctl *c, json_t *topic, const struct error *e)
{
    static const struct output_column facts[] = {{"Name", "name", OUTPUT_TEXT},
                                                 {"Topic", "topicId", OUTPUT_TEXT},
                                                 {"Members", "members", OUTPUT_COUNT},
                                                 {"New owner", "newOwner", OUTPUT_ID}};
    return output_object(c, topic, facts, sizeof facts / sizeof *facts, e);
}

// topic add and topic remove: TOPIC PERSON…
enum status run_topic_change(struct ctl *c, struct error *e)
{
    bool adds = strcmp(c->command->name, "topic add") == 0;
    json_t *persons = json_array();
    for (int i = 1; i < c->argument_count; i++)
        json_array_append_new(persons, json_string(c->arguments[i]));
    json_t *params = json_pack("{s:s, s:o}", "topic", c->arguments[0], "persons", persons);
    if (adds && ctl_has(c, "history"))
        json_object_set_new(params, "history", json_true());
    if (adds)
        ctl_add(c, params, "role", "role");
    return show_topic(c, ctl_call(c, adds ? "topic.add" : "topic.remove", params, e), e);
}

enum status run_topic_rename(struct ctl *c, struct error *e)
{
    json_t *params = json_pack("{s:s, s:s}", "topic", c->arguments[0], "name", c->arguments[1]);
    return show_topic(c, ctl_call(c, "topic.rename", params, e), e);
}

enum status run_topic_leave(struct ctl *c, struct error *e)
{
    json_t *params = json_pack("{s:s, s:b}", "topic", c->arguments[0], "wipe", (int)ctl_has(c, "wipe"));
    return show_topic(c, ctl_call(c, "topic.leave", params, e), e);
}

enum status run_topic_read_up_to(struct ctl *c, struct error *e)
{
    json_t *params = json_object();
    if (c->argument_count == 1)
        json_object_set_new(params, "topic", json_string(c->arguments[0]));
    ctl_add(c, params, "with", "with");
    ctl_add(c, params, "message", "message");
    return output_done(c, ctl_call(c, "topic.read-up-to", params, e), "Done.", e);
}

// The id of the other one in a chat of two, by the name of its topic; NULL: it is another topic.
static char *partner_of(const char *topic, const json_t *names)
{
    const char *arrow = strstr(topic, "<->");
    if (arrow == NULL)
        return NULL;
    char *first = mem_text((struct span){topic, (size_t)(arrow - topic)});
    const char *name = json_string_value(json_object_get(names, first));
    if (name == NULL || strcmp(name, "me") != 0)
        return first;
    free(first);
    return mem_text(span_of(arrow + strlen("<->")));
}

static void print_found(const json_t *item, const json_t *names)
{
    const char *topic = json_string_value(json_object_get(item, "topic"));
    char *partner = partner_of(topic, names);
    json_t *name = called(names, partner, topic, json_object_get(item, "name"));
    output_string(name);
    printf(": ");
    message_print(item, names);
    json_decref(name);
    free(partner);
}

// As many pages as it takes: one may be empty.
enum status run_chat_search(struct ctl *c, struct error *e)
{
    int64_t limit;
    size_t i;
    json_t *item;
    if (ctl_number(c, "limit", 20, CTL_LISTED_MAX, &limit, e) != STATUS_OK)
        return e->status;
    json_t *all = json_array();
    json_t *query = json_pack("{s:s}", "text", c->arguments[0]);
    for (bool more = true; more && (int64_t)json_array_size(all) < limit;) {
        int64_t rest = limit - (int64_t)json_array_size(all);
        json_object_set_new(query, "limit", json_integer(rest < 100 ? rest : 100));
        json_t *page = ctl_call(c, "chat.search", json_incref(query), e);
        more = page != NULL && json_is_string(json_object_get(page, "next"));
        json_array_extend(all, json_object_get(page, "items"));
        if (more)
            json_object_set(query, "before", json_object_get(page, "next"));
        if (page == NULL) {
            json_decref(all);
            all = NULL;
        }
        json_decref(page);
    }
    json_decref(query);
    if (c->json || all == NULL)
        return output_result(all, e);
    if (json_array_size(all) == 0)
        puts("No messages.");
    json_t *names = names_load(c);
    json_array_foreach(all, i, item) print_found(item, names);
    json_decref(names);
    json_decref(all);
    return STATUS_OK;
}

enum status run_topic_send(struct ctl *c, struct error *e)
{
    bool has_text = c->argument_count == 2;
    if (!has_text && !ctl_has(c, "attach"))
        return ctl_usage(e, "topic send wants TEXT, --attach FILE or both");
    json_t *attachments = attach_files(c, e);
    if (attachments == NULL)
        return e->status;
    json_t *params = json_pack("{s:s, s:s, s:o}", "topic", c->arguments[0], "text", has_text ? c->arguments[1] : "",
                               "attachments", attachments);
    return message_sent(c, ctl_call(c, "topic.send", params, e), e);
}

enum status run_topic_read(struct ctl *c, struct error *e)
{
    return messages_print(c, "topic.read", "topic", c->arguments[0], e);
}
