// A name is tried by kinds in an order of trust: the user's own word, then e-mail, then what others call themselves, so
// that nobody takes a name from somebody whom the user has named. Within a kind two are an error, never a choice.
// Digits are tried as the beginning of an id first, and as a name if there is none: somebody may be called deadbeef.
// "me" is nobody's name but ours.
#include "models/names.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "models/contact.h"
#include "models/own_node.h"
#include "models/profile.h"
#include "models/settings.h"

enum { DIGITS_MIN = 8, DIGITS = 64, CANDIDATES = 16, NAME_MAX_BYTES = 512 };
enum { SHOWN = 4, SHOWN_NAME = 24, SHOWN_TEXT = 40 }; // in messages

// ---- Our own names --------------------------------------------------------------------------------------------------

enum status names_local(struct model *m, const struct hash *person, struct span *name, struct error *e)
{
    const struct hash_text key = hash_text(person);
    *name = (struct span){0};
    enum status status = settings_get(m, SPAN(NAMES_STORE), span_of(key.s), name, e);
    if (status != STATUS_NOT_FOUND)
        return status;
    error_clear(e);
    return STATUS_OK;
}

enum status names_set_local(struct model *m, const struct hash *person, struct span name, struct error *e)
{
    const struct hash_text key = hash_text(person);
    if (name.len > NAME_MAX_BYTES)
        return error_set(e, STATUS_INVALID, "BAD-TEXT", "a name is at most %d bytes of UTF-8", NAME_MAX_BYTES);
    return settings_set(m, SPAN(NAMES_STORE), span_of(key.s), name, e);
}

// ---- Ids ------------------------------------------------------------------------------------------------------------

// The digits alone, in lower case; false if it is no beginning of an id.
static bool clean(struct span text, char digits[DIGITS + 1])
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (isspace(c))
            continue;
        if (!isxdigit(c) || count == DIGITS)
            return false;
        digits[count++] = (char)tolower(c);
    }
    digits[count] = '\0';
    return count >= DIGITS_MIN;
}

static void add_candidate(struct model *m, const struct hash *id, struct buf *out)
{
    struct span name = {0};
    if (contact_exists(m, id))
        (void)profile_name_of(m, id, &name, NULL);
    buf_printf(out, "%s%.20s…", out->len != 0 ? ", " : "", hash_text(id).s);
    name = utf8_beginning(name, SHOWN_NAME);
    if (name.len != 0)
        buf_printf(out, " (" SPAN_FMT ")", SPAN_ARG(name));
}

static enum status ambiguous(struct model *m, const char *what, struct span text, const struct hash_list *found,
                             struct error *e)
{
    struct buf candidates = {0};
    for (size_t i = 0; i < found->count && i < SHOWN; i++)
        add_candidate(m, &found->items[i], &candidates);
    text = utf8_beginning(text, SHOWN_TEXT);
    error_set(e, STATUS_REFUSED, "AMBIGUOUS-ID", SPAN_FMT " is %s several%s: %s", SPAN_ARG(text), what,
              found->count > SHOWN ? ", among them" : "", buf_cstr(&candidates));
    buf_free(&candidates);
    return STATUS_REFUSED;
}

bool names_is_like_id(struct span text)
{
    char digits[DIGITS + 1];
    return clean(text, digits);
}

bool names_is_person(struct model *m, const struct hash *id)
{
    struct store_info info;
    return store_info(m->store, id, &info, NULL) == STATUS_OK && strcmp(info.type, "Person") == 0;
}

// persons: of several ids that begin so, only those of persons are meant.
static enum status complete(struct model *m, struct span text, const char *digits, bool persons, struct hash *out,
                            struct error *e)
{
    struct hash_list all = {0};
    struct hash_list meant = {0};
    enum status status = store_find_prefix(m->store, span_of(digits), &all, CANDIDATES, e);
    for (size_t i = 0; status == STATUS_OK && i < all.count; i++)
        if (!persons || all.count == 1 || names_is_person(m, &all.items[i]))
            hash_list_add(&meant, &all.items[i]);
    if (status == STATUS_OK && meant.count == 0)
        status = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "nothing here has an id that begins with %s", digits);
    else if (status == STATUS_OK && meant.count > 1)
        status = ambiguous(m, "the beginning of", text, &meant, e);
    else if (status == STATUS_OK)
        *out = meant.items[0];
    hash_list_free(&all);
    hash_list_free(&meant);
    return status;
}

enum status names_complete(struct model *m, struct span text, struct hash *id, struct error *e)
{
    char digits[DIGITS + 1];
    if (!clean(text, digits))
        return error_set(e, STATUS_INVALID, "BAD-ID", "an id has %d digits; its first %d or more will do", DIGITS,
                         DIGITS_MIN);
    return hash_parse(span_of(digits), id) ? STATUS_OK : complete(m, text, digits, false, id, e);
}

// ---- Names ----------------------------------------------------------------------------------------------------------

enum kind { LOCAL_NAME, EMAIL, NAME, OTHER_NODE, THIS_NODE, KINDS };

struct search {
    struct span text;
    struct hash_list found[KINDS];
};

static bool is_called(struct span name, struct span text)
{
    return name.len == text.len && name.len != 0 && strncasecmp(name.ptr, text.ptr, text.len) == 0;
}

static struct span trimmed(struct span text)
{
    while (text.len != 0 && isspace((unsigned char)text.ptr[text.len - 1]))
        text.len--;
    while (text.len != 0 && isspace((unsigned char)*text.ptr)) {
        text.ptr++;
        text.len--;
    }
    return text;
}

bool names_is_me(struct span text)
{
    return is_called(SPAN("me"), trimmed(text));
}

static enum status look_at(struct model *m, struct search *s, const struct hash *person, enum kind kind,
                           struct error *e)
{
    struct span names[KINDS] = {{0}};
    enum status status = names_local(m, person, &names[LOCAL_NAME], e);
    if (status == STATUS_OK)
        (void)profile_email_of(m, person, &names[EMAIL], NULL);
    if (status == STATUS_OK)
        status = profile_name_of(m, person, &names[kind], e);
    for (size_t i = 0; status == STATUS_OK && i < KINDS; i++)
        if (is_called(names[i], s->text))
            hash_list_add(&s->found[i], person);
    return status;
}

static enum status look_at_all(struct model *m, struct search *s, struct error *e)
{
    struct hash_list persons = {0};
    struct hash_list someones = {0};
    enum status status = contact_persons(m, &persons, &someones, e);
    for (size_t i = 0; status == STATUS_OK && i < persons.count; i++)
        status = look_at(m, s, &persons.items[i], sharing_is_own_node(m, &persons.items[i]) ? OTHER_NODE : NAME, e);
    if (status == STATUS_OK)
        status = look_at(m, s, &m->self->person, THIS_NODE, e);
    hash_list_free(&persons);
    hash_list_free(&someones);
    return status;
}

static enum status choose(struct model *m, const struct search *s, struct hash *person, struct error *e)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (s->found[i].count > 1)
            return ambiguous(m, "the name of", s->text, &s->found[i], e);
        if (s->found[i].count == 1) {
            *person = s->found[i].items[0];
            return STATUS_OK;
        }
    }
    struct span text = utf8_beginning(s->text, SHOWN_TEXT);
    return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "nobody here is called '" SPAN_FMT "'", SPAN_ARG(text));
}

static enum status find_by_name(struct model *m, struct span text, struct hash *person, struct error *e)
{
    struct search s = {.text = trimmed(text)};
    if (names_is_me(text)) {
        *person = m->self->person;
        return STATUS_OK;
    }
    enum status status = look_at_all(m, &s, e);
    if (status == STATUS_OK)
        status = choose(m, &s, person, e);
    for (size_t i = 0; i < KINDS; i++)
        hash_list_free(&s.found[i]);
    return status;
}

enum status names_others(struct model *m, const struct hash *person, struct span name, struct hash_list *others,
                         bool *ambiguous, struct error *e)
{
    struct search s = {.text = trimmed(name)};
    *ambiguous = false;
    enum status status = s.text.len != 0 ? look_at_all(m, &s, e) : STATUS_OK;
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; status == STATUS_OK && i < s.found[kind].count; i++) {
            const struct hash *other = &s.found[kind].items[i];
            if (hash_eq(other, person) || hash_list_has(others, other))
                continue;
            hash_list_add(others, other);
            *ambiguous = *ambiguous || kind == LOCAL_NAME;
        }
        hash_list_free(&s.found[kind]);
    }
    return status;
}

enum status names_find(struct model *m, struct span text, struct hash *person, struct error *e)
{
    char digits[DIGITS + 1];
    struct error why = {0};
    if (!clean(text, digits))
        return find_by_name(m, text, person, e);
    if (hash_parse(span_of(digits), person))
        return STATUS_OK;
    enum status status = complete(m, text, digits, true, person, e);
    if (status != STATUS_NOT_FOUND) // somebody may be called deadbeef
        return status;
    return find_by_name(m, text, person, &why) == STATUS_OK ? STATUS_OK : status;
}
