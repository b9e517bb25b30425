// Statements about members as text: writing and reading them (members.h). A text is only read if writing what was read
// gives the same bytes: the signature is over them, and two readers that take them differently would know two
// statements.
#include "models/members_text.h"

#include <string.h>

#include "base/text.h"
#include "crypto/sha256.h"

static const char HEAD[] = "tandem-topic 1\n";
static const char *const roles[] = {"gone", "reader", "writer", "owner"};

const char *member_role_name(enum member_role role)
{
    return roles[role];
}

bool member_role_parse(struct span text, enum member_role *out)
{
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (span_eq_text(text, roles[i])) {
            *out = (enum member_role)i;
            return true;
        }
    return false;
}

// ---- Writing --------------------------------------------------------------------------------------------------------

static void write_member(struct buf *out, const struct member *one)
{
    char key[2 * SIGN_PUBLIC + 1];
    hex_encode(one->key.b, SIGN_PUBLIC, key);
    buf_printf(out, "member %s %s %u %d %s\n", hash_text(&one->person).s, roles[one->role], one->since, one->wrote,
               key);
}

void members_write_unsigned(const struct members *members, struct buf *out)
{
    buf_add_text(out, HEAD);
    buf_printf(out, "id " SPAN_FMT "\nname " SPAN_FMT "\n", SPAN_ARG(members->id), SPAN_ARG(members->name));
    buf_printf(out, "creator %s\nnumber %u\n", hash_text(&members->creator).s, members->number);
    buf_printf(out, "previous %s\nepoch %u\n", hash_text(&members->previous).s, members->epoch);
    buf_printf(out, "history %s\n", members->history ? "yes" : "no");
    for (size_t i = 0; i < members->count; i++)
        write_member(out, &members->items[i]);
}

void members_write_signature(const struct signature *signature, struct buf *out)
{
    char hex[2 * SIGN_SIZE + 1];
    hex_encode(signature->b, SIGN_SIZE, hex);
    buf_printf(out, "signed %s\n", hex);
}

struct hash_text members_signed_text(struct span unsigned_text)
{
    struct hash hash = sha256(unsigned_text);
    return hash_text(&hash);
}

// ---- Reading --------------------------------------------------------------------------------------------------------

// Takes the next line off the text, if it begins with the word and a blank.
static bool take_line(struct span *text, const char *word, struct span *rest)
{
    const char *end = text->len != 0 ? memchr(text->ptr, '\n', text->len) : NULL;
    size_t len = strlen(word);
    if (end == NULL || (size_t)(end - text->ptr) < len + 1 || memcmp(text->ptr, word, len) != 0 ||
        text->ptr[len] != ' ')
        return false;
    *rest = (struct span){text->ptr + len + 1, (size_t)(end - text->ptr) - len - 1};
    *text = span_from(*text, (size_t)(end - text->ptr) + 1);
    return true;
}

static bool take_word(struct span *line, struct span *word)
{
    const char *end = line->len != 0 ? memchr(line->ptr, ' ', line->len) : NULL;
    *word = *line;
    if (end != NULL)
        word->len = (size_t)(end - line->ptr);
    *line = span_from(*line, end != NULL ? word->len + 1 : word->len);
    return word->len != 0;
}

static bool read_number(struct span text, unsigned *out)
{
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || text.len > 6)
            return false;
        *out = 10 * *out + (unsigned)(text.ptr[i] - '0');
    }
    return text.len != 0;
}

static bool take_number(struct span *text, const char *word, unsigned *out)
{
    struct span rest;
    return take_line(text, word, &rest) && read_number(rest, out);
}

static bool take_hash(struct span *text, const char *word, struct hash *out)
{
    struct span rest;
    return take_line(text, word, &rest) && hash_parse(rest, out);
}

static bool read_member(struct span line, struct member *out)
{
    struct span person;
    struct span role;
    struct span since;
    struct span wrote;
    *out = (struct member){0};
    if (!take_word(&line, &person) || !take_word(&line, &role) || !take_word(&line, &since) ||
        !take_word(&line, &wrote))
        return false;
    out->wrote = span_eq_text(wrote, "1");
    return hash_parse(person, &out->person) && member_role_parse(role, &out->role) && read_number(since, &out->since) &&
           hex_decode(line, out->key.b, SIGN_PUBLIC);
}

static bool take_members(struct model *m, struct span *text, struct members *out)
{
    struct span line;
    out->items = arena_alloc(m->arena, (MEMBERS_MAX + 1) * sizeof *out->items);
    while (out->count < MEMBERS_MAX && take_line(text, "member", &line)) {
        struct member one;
        if (!read_member(line, &one) || members_find(out, &one.person) != NULL)
            return false;
        out->items[out->count++] = one;
    }
    return out->count != 0;
}

static bool take_all(struct model *m, struct span *text, struct members *out)
{
    struct span history;
    if (!take_line(text, "id", &out->id) || !take_line(text, "name", &out->name) ||
        !take_hash(text, "creator", &out->creator) || !take_number(text, "number", &out->number) ||
        !take_hash(text, "previous", &out->previous) || !take_number(text, "epoch", &out->epoch) ||
        !take_line(text, "history", &history) || !take_members(m, text, out))
        return false;
    out->history = span_eq_text(history, "yes");
    return out->id.len != 0 && out->epoch < MEMBERS_EPOCHS;
}

static bool is_text(struct span text)
{
    return span_starts_with(text, SPAN(HEAD));
}

// One statement, one text: what is read must be what would be written.
bool members_parse(struct model *m, struct span text, struct members *out, struct signature *signature,
                   struct span *signed_part)
{
    struct span rest = text;
    struct span hex;
    struct buf again = {0};
    *out = (struct members){0};
    if (!is_text(text) || !utf8_valid(text))
        return false;
    rest = span_from(rest, sizeof HEAD - 1);
    if (!take_all(m, &rest, out))
        return false;
    *signed_part = (struct span){text.ptr, text.len - rest.len};
    members_write_unsigned(out, &again);
    bool same = span_eq(buf_span(&again), *signed_part);
    buf_free(&again);
    return same && take_line(&rest, "signed", &hex) && hex_decode(hex, signature->b, SIGN_SIZE) && rest.len == 0;
}
