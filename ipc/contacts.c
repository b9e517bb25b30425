// Each node knows a contact for itself. Put together, the better news of the two counts: connected if one of them is,
// seen when it was seen last, paired with both.
#include "ipc/contacts.h"

#include <stdbool.h>
#include <string.h>

const char *ipc_contact_level(const json_t *contact)
{
    if (json_is_true(json_object_get(contact, "connected")))
        return "connected";
    if (json_is_integer(json_object_get(contact, "lastSeenAt")))
        return "seen";
    return json_array_size(json_object_get(contact, "pairedWith")) != 0 ? "paired" : "unknown";
}

static bool has_text(const json_t *list, const char *text)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (strcmp(json_string_value(item), text) == 0)
            return true;
    }
    return false;
}

static json_t *both(const json_t *one, const json_t *two)
{
    static const char *const nodes[] = {"archive", "sparse"};
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (has_text(one, nodes[i]) || has_text(two, nodes[i]))
            json_array_append_new(list, json_string(nodes[i]));
    return list;
}

// The other's where ours has none.
static void fill(json_t *contact, const json_t *other, const char *member)
{
    json_t *theirs = json_object_get(other, member);
    if (json_is_null(json_object_get(contact, member)) && theirs != NULL)
        json_object_set(contact, member, theirs);
}

static void join_times(json_t *contact, const json_t *other)
{
    json_t *theirs = json_object_get(other, "lastSeenAt");
    if (json_integer_value(theirs) > json_integer_value(json_object_get(contact, "lastSeenAt")))
        json_object_set(contact, "lastSeenAt", theirs);
}

static const json_t *instance_among(const json_t *list, const json_t *instance)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (json_equal(json_object_get(item, "instanceId"), json_object_get(instance, "instanceId")))
            return item;
    }
    return NULL;
}

static void fill_instances(json_t *contact, const json_t *other)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(contact, "instances"), i, item)
    {
        fill(item, instance_among(json_object_get(other, "instances"), item), "safety");
    }
}

// What is known of a pairing of the other's may be of before.
static void take_safety(json_t *contact, const json_t *with, const json_t *other)
{
    json_t *theirs = json_object_get(other, "safety");
    if (json_is_string(theirs) && !has_text(with, "sparse") &&
        has_text(json_object_get(other, "pairedWith"), "archive"))
        json_object_set(contact, "safety", theirs);
}

void ipc_contact_fill(json_t *contact, const json_t *other)
{
    fill(contact, other, "safety");
    join_times(contact, other);
}

void ipc_contact_join(json_t *contact, const json_t *other)
{
    json_t *with = json_object_get(contact, "pairedWith");
    if (other == NULL)
        return;
    if (json_is_true(json_object_get(other, "connected")))
        json_object_set_new(contact, "connected", json_true());
    take_safety(contact, with, other);
    fill_instances(contact, other);
    ipc_contact_fill(contact, other);
    json_object_set_new(contact, "pairedWith", both(with, json_object_get(other, "pairedWith")));
    json_object_set_new(contact, "level", json_string(ipc_contact_level(contact)));
}
