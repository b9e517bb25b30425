// Kept as a setting of the store for each person that a further identity has paired with:
//
//   apart.PERSON → the words "main" and ids of identities, separated by blanks; none or empty: the main identity's
#include "models/apart.h"

#include <stdio.h>
#include <string.h>

#include "models/leute.h"
#include "models/trust.h"

#define MAIN "main"

enum { NAME_SIZE = 80 };

static void name_of(const struct hash *person, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "apart.%s", hash_text(person).s);
}

static struct span word_of(struct model *m)
{
    return m->self->further ? arena_copy(m->arena, span_of(hash_text(&m->self->person).s)) : SPAN(MAIN);
}

static struct span read_words(struct model *m, const struct hash *person)
{
    char name[NAME_SIZE];
    struct span words = {0};
    name_of(person, name);
    if (store_setting_get(m->store, name, m->arena, &words, NULL) != STATUS_OK)
        return (struct span){0};
    return words;
}

static enum status write_words(struct model *m, const struct hash *person, struct span words, struct error *e)
{
    char name[NAME_SIZE];
    name_of(person, name);
    return store_setting_set(m->store, name, words, e);
}

static bool has_word(struct span words, struct span word)
{
    return words.len != 0 && memmem(words.ptr, words.len, word.ptr, word.len) != NULL;
}

bool apart_belongs(struct model *m, const struct hash *person)
{
    struct span words = read_words(m, person);
    return words.len != 0 ? has_word(words, word_of(m)) : !m->self->further;
}

enum status apart_join(struct model *m, const struct hash *person, bool is_new, struct error *e)
{
    struct span words = read_words(m, person);
    struct span word = word_of(m);
    if (words.len == 0 && !m->self->further)
        return STATUS_OK;
    if (words.len == 0)
        words = is_new ? (struct span){0} : SPAN(MAIN);
    if (has_word(words, word))
        return STATUS_OK;
    words = words.len != 0 ? arena_printf(m->arena, SPAN_FMT " " SPAN_FMT, SPAN_ARG(words), SPAN_ARG(word)) : word;
    return write_words(m, person, words, e);
}

enum status apart_leave(struct model *m, const struct hash *person, struct error *e)
{
    return read_words(m, person).len != 0 ? write_words(m, person, SPAN(""), e) : STATUS_OK;
}

enum status apart_begin(struct model *m, struct error *e)
{
    enum status status = trust_grant_right(m, LICENCE_RIGHT_FOR_EVERYBODY, &m->self->person, e);
    return status == STATUS_OK ? trust_grant_right(m, LICENCE_RIGHT_FOR_SELF, &m->self->person, e) : status;
}

bool apart_is_other_self(struct model *m, const struct hash *person)
{
    return !hash_eq(person, &m->self->person) && leute_is_me(m, person);
}
