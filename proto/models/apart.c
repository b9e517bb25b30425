// Kept in Settings, which both own nodes share, for each person that a further identity has paired with:
//
//   tandem.apart: PERSON → the words "main" and ids of identities, separated by blanks; none or empty: the main
//   identity's
//
// Stores of before have it as a setting apart.PERSON of their own.
#include "models/apart.h"

#include <stdio.h>
#include <string.h>

#include "models/leute.h"
#include "models/settings.h"
#include "models/someone.h"
#include "models/trust.h"

#define MAIN "main"
#define STORE_ID SPAN("tandem.apart")

enum { NAME_SIZE = 80 };

static void name_of(const struct hash *person, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "apart.%s", hash_text(person).s);
}

static struct span word_of(struct model *m)
{
    return m->self->further ? arena_copy(m->arena, span_of(hash_text(&m->self->person).s)) : SPAN(MAIN);
}

static struct span words_of_before(struct model *m, const struct hash *person)
{
    char name[NAME_SIZE];
    struct span words = {0};
    name_of(person, name);
    return store_setting_get(m->store, name, m->arena, &words, NULL) == STATUS_OK ? words : (struct span){0};
}

static bool find_words(struct model *m, const struct hash *person, struct span *words)
{
    const struct hash_text key = hash_text(person);
    return settings_get(m, STORE_ID, span_of(key.s), words, NULL) == STATUS_OK;
}

static struct span read_words(struct model *m, const struct hash *person)
{
    struct span words;
    return find_words(m, person, &words) ? words : words_of_before(m, person);
}

static enum status write_words(struct model *m, const struct hash *person, struct span words, struct error *e)
{
    const struct hash_text key = hash_text(person);
    return settings_set(m, STORE_ID, span_of(key.s), words, e);
}

enum status apart_catch_up(struct model *m, struct error *e)
{
    struct hash_list others = {0};
    enum status status = leute_others(m, &others, e);
    for (size_t i = 0; status == STATUS_OK && i < others.count; i++) {
        struct someone s = {0};
        struct span words;
        status = someone_load(m, &others.items[i], &s, e);
        for (size_t k = 0; status == STATUS_OK && k < s.count; k++)
            if (!find_words(m, &s.identities[k].person, &words) &&
                (words = words_of_before(m, &s.identities[k].person)).len != 0)
                status = write_words(m, &s.identities[k].person, words, e);
        someone_free(&s);
    }
    hash_list_free(&others);
    return status;
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

// The words without that of the identity that acts.
static struct span other_words(struct model *m, struct span words)
{
    struct span others = SPAN("");
    struct span word = word_of(m);
    for (size_t n; words.len != 0; words = span_from(words, n < words.len ? n + 1 : n)) {
        const char *blank = memchr(words.ptr, ' ', words.len);
        n = blank != NULL ? (size_t)(blank - words.ptr) : words.len;
        struct span one = {words.ptr, n};
        if (n != 0 && !span_eq(one, word))
            others = arena_printf(m->arena, SPAN_FMT "%s" SPAN_FMT, SPAN_ARG(others), others.len != 0 ? " " : "",
                                  SPAN_ARG(one));
    }
    return others;
}

bool apart_is_shared(struct model *m, const struct hash *person)
{
    return other_words(m, read_words(m, person)).len != 0;
}

bool apart_is_known_to(struct model *m, const struct hash *person, const struct hash *identity)
{
    return has_word(read_words(m, person), span_of(hash_text(identity).s));
}

enum status apart_leave_alone(struct model *m, const struct hash *person, struct error *e)
{
    return write_words(m, person, other_words(m, read_words(m, person)), e);
}

enum status apart_begin(struct model *m, struct error *e)
{
    enum status status = trust_grant_right(m, LICENCE_RIGHT_FOR_EVERYBODY, &m->self->person, e);
    return status == STATUS_OK ? trust_grant_right(m, LICENCE_RIGHT_FOR_SELF, &m->self->person, e) : status;
}
