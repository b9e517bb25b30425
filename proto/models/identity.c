// Whom a user means by "as" is decided without the store: the identities of a node are few, and all in memory. A
// beginning of an id counts from eight digits on, in any case and with any blanks.
#include "models/identity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void destroy_keys(struct identity_keys *k)
{
    secret_destroy(&k->secret);
    secret_destroy(&k->sign_secret);
}

void identity_destroy(struct identity *i)
{
    if (i == NULL)
        return;
    destroy_keys(&i->person_keys);
    destroy_keys(&i->instance_keys);
    free(i->email);
    free(i->instance_name);
    free(i);
}

// ---- What a user calls it -------------------------------------------------------------------------------------------

enum { DIGITS_MIN = 8, LISTED = 8, SHOWN_EMAIL = 48, SHOWN_TEXT = 48 };

static bool is_beginning(const struct identity *i, struct span text)
{
    struct hash_text id = hash_text(&i->person);
    size_t digits = 0;
    for (size_t at = 0; at < text.len; at++) {
        unsigned char c = (unsigned char)text.ptr[at];
        if (isspace(c))
            continue;
        if (digits == HASH_HEX || tolower(c) != id.s[digits])
            return false;
        digits++;
    }
    return digits >= DIGITS_MIN;
}

static bool is_meant(const struct identity *i, struct span text)
{
    return is_beginning(i, text) ||
           (strlen(i->email) == text.len && text.len != 0 && strncasecmp(i->email, text.ptr, text.len) == 0);
}

static enum status none_is_meant(const struct identity *const *all, size_t count, struct span text, struct error *e)
{
    struct buf list = {0};
    for (size_t i = 0; i < count && i < LISTED; i++)
        buf_printf(&list, "%s%.*s (%.12s)", i != 0 ? ", " : "", SHOWN_EMAIL, all[i]->email,
                   hash_text(&all[i]->person).s);
    error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "\"as\": %.*s is no identity of this node; it has %s%s",
              (int)(text.len < SHOWN_TEXT ? text.len : SHOWN_TEXT), text.len != 0 ? text.ptr : "", buf_cstr(&list),
              count > LISTED ? " and others" : "");
    buf_free(&list);
    return STATUS_NOT_FOUND;
}

enum status identity_named(const struct identity *const *all, size_t count, struct span text, size_t *at,
                           struct error *e)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_meant(all[i], text))
            continue;
        *at = i;
        found++;
    }
    if (found == 0)
        return none_is_meant(all, count, text, e);
    if (found > 1)
        return error_set(e, STATUS_REFUSED, "AMBIGUOUS-ID", "\"as\": several identities of this node begin like that");
    return STATUS_OK;
}
