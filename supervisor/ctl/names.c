// Both own nodes are "me", so a list names them once. Nothing here fails: without names there are ids.
#include "supervisor/ctl/names.h"

#include <string.h>
#include <strings.h>

#include "base/bytes.h"

static const char ME[] = "me";

// How many bytes at its beginning look like a blank, or like nothing.
static size_t unseen_at(struct span s)
{
    static const char *const unseen[] = {"\u00a0", "\u00ad", "\u034f", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004",
                                         "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a", "\u200b", "\u200c",
                                         "\u200d", "\u202f", "\u205f", "\u2060", "\u2800", "\u3000", "\ufeff"};
    if ((unsigned char)s.ptr[0] <= ' ')
        return 1;
    for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
        if (s.len >= strlen(unseen[i]) && memcmp(s.ptr, unseen[i], strlen(unseen[i])) == 0)
            return strlen(unseen[i]);
    return 0;
}

static bool is_taken_for_ours(const json_t *name)
{
    static const char own[] = "(ownnode";
    struct buf seen = {0};
    struct span rest = {json_string_value(name), json_string_length(name)};
    bool first_word_ends = false;
    for (size_t n; rest.len > 0; rest = span_from(rest, n > 0 ? n : 1)) {
        n = unseen_at(rest);
        if (n == 0)
            buf_add(&seen, rest.ptr, 1);
        first_word_ends = first_word_ends || (seen.len == strlen(ME) && (n > 0 || rest.len == 1));
    }
    const char *text = buf_cstr(&seen);
    bool mine = strncasecmp(text, ME, strlen(ME)) == 0 && (first_word_ends || strchr(",(", text[strlen(ME)]) != NULL);
    bool taken = mine || text[0] == '\0' || text[0] == '"';
    for (const char *at = text; !taken && (at = strchr(at, '(')) != NULL; at++)
        taken = strncasecmp(at, own, strlen(own)) == 0;
    buf_free(&seen);
    return taken;
}

json_t *names_shown(const json_t *name, const char *person)
{
    if (!json_is_string(name))
        return json_null();
    struct buf b = {0};
    bool taken = is_taken_for_ours(name);
    buf_add_text(&b, taken ? "\"" : "");
    buf_add(&b, json_string_value(name), json_string_length(name));
    if (taken)
        buf_printf(&b, "\" %.12s", person);
    json_t *shown = json_stringn(b.data, b.len);
    buf_free(&b);
    return shown;
}

char *names_person(struct ctl *c, const char *word)
{
    struct error ignored = {0};
    json_t *profile = ctl_call(c, "profile.get", json_pack("{s:s}", "person", word), &ignored);
    const char *id = json_string_value(json_object_get(profile, "personId"));
    char *person = mem_text(span_of(id != NULL ? id : word));
    json_decref(profile);
    return person;
}

// Also as whom else we are met; with --node those of that node.
static void add_identities(struct ctl *c, json_t *names)
{
    size_t i;
    json_t *identity;
    struct error ignored = {0};
    json_t *identities = ctl_list(c, "identity.list", NULL, &ignored);
    json_array_foreach(identities, i, identity)
        json_object_set_new(names, json_string_value(json_object_get(identity, "personId")), json_string(ME));
    json_decref(identities);
}

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
        const char *person = json_string_value(json_object_get(contact, "personId"));
        bool own = json_is_true(json_object_get(contact, "own"));
        json_object_set_new(names, person, own ? json_string(ME) : names_shown(name, person));
    }
    if (self != NULL)
        json_object_set_new(names, json_string_value(json_object_get(self, "personId")), json_string(ME));
    add_identities(c, names);
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
    bool has_me = false;
    json_array_foreach(persons, i, person)
    {
        const json_t *name = json_object_get(names, json_string_value(person));
        bool is_me = json_is_string(name) && strcmp(json_string_value(name), ME) == 0;
        if (is_me && has_me)
            continue;
        has_me = has_me || is_me;
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
