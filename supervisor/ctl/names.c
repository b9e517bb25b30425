// Both own nodes are "me", so a list names them once. Nothing here fails: without names there are ids.
#include "supervisor/ctl/names.h"

#include "base/bytes.h"

json_t *names_load(struct ctl *c)
{
    struct error ignored = {0};
    json_t *names = json_object();
    json_t *contacts = ctl_list(c, "contacts.list", NULL, &ignored);
    json_t *self = ctl_call(c, "id", NULL, &ignored);
    size_t i;
    json_t *contact;
    json_array_foreach(contacts, i, contact)
    {
        json_t *local = json_object_get(contact, "localName");
        json_t *name = json_is_string(local) ? local : json_object_get(contact, "name");
        json_object_set_new(names, json_string_value(json_object_get(contact, "personId")),
                            json_is_true(json_object_get(contact, "own")) ? json_string("me") : json_incref(name));
    }
    if (self != NULL)
        json_object_set_new(names, json_string_value(json_object_get(self, "personId")), json_string("me"));
    json_decref(contacts);
    json_decref(self);
    return names;
}

void names_add(json_t *items, const char *member, const json_t *names)
{
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        const char *person = json_string_value(json_object_get(item, member));
        json_t *name = person != NULL ? json_object_get(names, person) : NULL;
        json_object_set(item, "who", name != NULL ? name : json_null());
    }
}

static json_t *list_of(const json_t *persons, const json_t *names)
{
    struct buf b = {0};
    size_t i;
    json_t *person;
    const json_t *before = NULL;
    json_array_foreach(persons, i, person)
    {
        const json_t *name = json_object_get(names, json_string_value(person));
        if (name != NULL && json_equal(name, before)) // both own nodes are "me"
            continue;
        before = name;
        buf_add_text(&b, b.len != 0 ? ", " : "");
        if (json_is_string(name))
            buf_add(&b, json_string_value(name), json_string_length(name));
        else
            buf_printf(&b, "%.12s", json_string_value(person));
    }
    json_t *list = b.len != 0 ? json_stringn(b.data, b.len) : json_null();
    buf_free(&b);
    return list;
}

void names_add_all(json_t *items, const char *member, const json_t *names)
{
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item)
    {
        json_object_set_new(item, "who", list_of(json_object_get(item, member), names));
    }
}
