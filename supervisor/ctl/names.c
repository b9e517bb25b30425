#include "supervisor/ctl/names.h"

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
