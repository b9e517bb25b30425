// Where an object came from, and what follows from it: a part has no effect of its own, and a hash that somebody merely
// names does not make us hand out what it stands for.
//
// A person is a number here: the first 63 bits of the person id. To be taken for somebody else one would have to find
// an e-mail address whose hash begins like the other's.
#include <stdlib.h>

#include "store/provenance.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/state.h"
#include "store/statements.h"

enum {
    REFERRERS = 32, // looked at per object
    LEVELS = 8,     // from an object up to something that is shown
    LOOKS = 64,     // per question, in all
};

int64_t provenance_source(const struct hash *person)
{
    uint64_t n = 0;
    if (hash_is_zero(person))
        return 0;
    for (size_t i = 0; i < sizeof n; i++)
        n = n << 8 | person->b[i];
    n >>= 1;
    return n != 0 ? (int64_t)n : 1;
}

int64_t provenance_sender(const struct store *s)
{
    return s->making ? 0 : provenance_source(&s->sender);
}

void store_set_sender(struct store *s, const struct hash *person)
{
    s->sender = person != NULL ? *person : (struct hash){0};
}

void store_set_parts(struct store *s, bool parts)
{
    s->storing_parts = parts;
}

// Id objects and files have no effects that could wait.
bool provenance_as_part(const struct store *s, const struct object_row *row)
{
    return row->type->kind == STORE_OBJECT && (s->recovering || (s->storing_parts && !s->making));
}

// ---- Noting ---------------------------------------------------------------------------------------------------------

void provenance_begin(const struct store *s, bool known, const struct object_row *before, struct object_row *row)
{
    row->source = known ? before->source : provenance_sender(s);
    row->part = provenance_as_part(s, row) && (!known || before->part);
}

enum status provenance_set(struct store *s, const struct hash *hash, int64_t source, bool part, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OBJECT_ORIGIN);
    bind_hash(st, 1, hash);
    sqlite3_bind_int64(st, 2, source);
    sqlite3_bind_int(st, 3, part);
    return statement_run(s, st, e);
}

// ---- Parts ----------------------------------------------------------------------------------------------------------

bool store_is_admitted(struct store *s, const struct hash *hash)
{
    struct object_row row;
    bool found;
    if (object_row_find(s, hash, &found, &row, NULL) != STATUS_OK)
        return false;
    return (found && row.state == STATE_DELETED) || (store_is_complete(s, hash) && !row.part);
}

enum status store_admit_history(struct store *s, const struct hash *node, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_OBJECT_ADMIT_HISTORY);
    bind_hash(st, 1, node);
    return statement_run(s, st, e);
}

enum status provenance_unknown_versions(struct store *s, uint64_t *count, struct error *e)
{
    bool row;
    sqlite3_stmt *st = statement(s, SQL_UNKNOWN_VERSIONS);
    enum status status = statement_step(s, st, &row, e);
    *count = row ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
    sqlite3_reset(st);
    return status;
}

// ---- Who has what ---------------------------------------------------------------------------------------------------

static bool answers_yes(struct store *s, sqlite3_stmt *st)
{
    bool yes;
    (void)statement_step(s, st, &yes, NULL);
    sqlite3_reset(st);
    return yes;
}

bool provenance_has(struct store *s, const struct object_row *row, int64_t source)
{
    if (row->source == source)
        return true;
    sqlite3_stmt *st = statement(s, SQL_BROUGHT_HAS);
    sqlite3_bind_int64(st, 1, row->seq);
    sqlite3_bind_int64(st, 2, source);
    return answers_yes(s, st);
}

bool store_came_from(struct store *s, const struct hash *hash, const struct hash *person)
{
    struct object_row row;
    bool found;
    return object_row_find(s, hash, &found, &row, NULL) == STATUS_OK && found &&
           provenance_has(s, &row, provenance_source(person));
}

static bool is_file(enum link_kind kind)
{
    return kind == LINK_BLOB || kind == LINK_CLOB;
}

// Of those who brought the parent later.
static bool another_brought_both(struct store *s, const struct object_row *row, const struct object_row *parent)
{
    sqlite3_stmt *st = statement(s, SQL_BROUGHT_BOTH);
    sqlite3_bind_int64(st, 1, parent->seq);
    sqlite3_bind_int64(st, 2, row->seq);
    sqlite3_bind_int64(st, 3, row->source);
    return answers_yes(s, st);
}

bool provenance_may_show(struct store *s, enum link_kind kind, const struct object_row *row,
                         const struct object_row *parent)
{
    return parent->source == 0 || !is_file(kind) || row->state == STATE_WANTED ||
           provenance_has(s, row, parent->source) || another_brought_both(s, row, parent);
}

struct store_knowledge {
    struct store *store;
    struct hash person;
    struct hash self;
    int64_t source;
    bool all;
    bool borrowed;          // see store_knowledge_is_borrowed
    struct hash_map *known; // found out so far
    size_t looks;           // left for the present question
};

struct store_knowledge *store_knowledge_create(struct store *s, const struct hash *person, const struct hash *self,
                                               bool all)
{
    struct store_knowledge *k = mem_alloc(sizeof *k);
    *k = (struct store_knowledge){
        .store = s, .person = *person, .self = *self, .source = provenance_source(person), .all = all};
    k->known = hash_map_create();
    return k;
}

void store_knowledge_destroy(struct store_knowledge *k)
{
    if (k == NULL)
        return;
    hash_map_destroy(k->known);
    free(k);
}

void store_knowledge_learn(struct store_knowledge *k, const struct store_knowledge *from)
{
    size_t cursor = 0;
    struct hash hash;
    void *ignored;
    while (hash_map_next(from->known, &cursor, &hash, &ignored))
        hash_map_add(k->known, &hash);
}

static bool is_granted(struct store_knowledge *k, const struct hash *hash)
{
    sqlite3_stmt *st = statement(k->store, SQL_GRANTED_TO);
    bind_hash(st, 1, hash);
    bind_hash(st, 2, &k->person);
    return answers_yes(k->store, st);
}

struct referrers {
    struct hash hashes[REFERRERS];
    int64_t sources[REFERRERS];
    size_t count;
};

static void find_referrers(struct store *s, const struct hash *hash, struct referrers *out)
{
    sqlite3_stmt *st = statement(s, SQL_REFERRER_SOURCES);
    bool row = true;
    bind_hash(st, 1, hash);
    sqlite3_bind_int(st, 2, REFERRERS);
    out->count = 0;
    while (out->count < REFERRERS && statement_step(s, st, &row, NULL) == STATUS_OK && row) {
        if (column_hash(st, 0, &out->hashes[out->count]))
            out->sources[out->count++] = sqlite3_column_int64(st, 1);
    }
    sqlite3_reset(st);
}

static bool knows(struct store_knowledge *k, const struct object_row *row, const struct hash *hash, bool file,
                  unsigned levels);

static bool knows_by_name(struct store_knowledge *k, const struct hash *hash, unsigned levels)
{
    struct object_row row;
    bool found;
    return object_row_find(k->store, hash, &found, &row, NULL) == STATUS_OK && found &&
           knows(k, &row, hash, false, levels);
}

// What its node sent has been looked at below already, but for files: those it may only have named.
static bool knows_from_above(struct store_knowledge *k, const struct hash *hash, bool file, unsigned levels)
{
    struct referrers above;
    find_referrers(k->store, hash, &above);
    for (size_t i = 0; i < above.count; i++)
        if (file ? above.sources[i] == 0 && hash_map_has(k->known, &above.hashes[i])
                 : above.sources[i] == k->source || hash_map_has(k->known, &above.hashes[i]))
            return true;
    for (size_t i = 0; i < above.count && levels > 0 && k->looks > 0; i++)
        if ((!file || above.sources[i] == 0) && knows_by_name(k, &above.hashes[i], levels - 1))
            return true;
    return false;
}

static bool knows(struct store_knowledge *k, const struct object_row *row, const struct hash *hash, bool file,
                  unsigned levels)
{
    if (hash_eq(hash, &k->person) || hash_eq(hash, &k->self) || hash_map_has(k->known, hash))
        return true;
    if (k->looks == 0)
        return false;
    k->looks--;
    bool yes =
        provenance_has(k->store, row, k->source) || is_granted(k, hash) || knows_from_above(k, hash, file, levels);
    if (yes)
        hash_map_add(k->known, hash);
    return yes;
}

static bool is_of_kind(enum link_kind kind, const struct store_type *type)
{
    if (kind == LINK_OBJECT)
        return type->kind == STORE_OBJECT;
    return kind != LINK_ID || type->kind == STORE_ID_OBJECT;
}

enum store_link store_knowledge_of(struct store_knowledge *k, enum link_kind kind, const struct hash *target)
{
    struct object_row row;
    bool found;
    k->borrowed = false;
    bool readable = object_row_find(k->store, target, &found, &row, NULL) == STATUS_OK;
    if (readable && found && row.state == STATE_DELETED)
        return row.part || hash_map_has(k->store->needed, target) ? STORE_LINK_MISSING : STORE_LINK_KNOWN;
    if (!readable || !found || row.state == STATE_WANTED || row.type == NULL ||
        hash_list_has(&k->store->damaged, target))
        return STORE_LINK_MISSING;
    if (!is_of_kind(kind, row.type))
        return STORE_LINK_OTHER_KIND;
    if (k->all || row.source == k->source)
        return STORE_LINK_KNOWN;
    k->looks = LOOKS;
    if (!knows(k, &row, target, is_file(kind), LEVELS))
        return STORE_LINK_STRANGE;
    k->borrowed = row.source != 0 && !is_file(kind) && !provenance_has(k->store, &row, k->source);
    return STORE_LINK_KNOWN;
}

bool store_knowledge_is_borrowed(const struct store_knowledge *k)
{
    return k->borrowed;
}
