// Three things keep a walk short. Objects have numbers of the same line as the cursor: what is below the place where
// the walk began was shown before, so nothing is descended into that is older. A bit for each object says what this
// walk gave already. And of one id the newest version of a handful goes first, so that the others are found below it.
//
// Grants of old things are the exception: a scope that the person sees only from now on is gone through as a whole.
#include "store/feed.h"

#include <stdlib.h>
#include <string.h>

#include "store/database.h"
#include "store/fragment.h"
#include "store/links.h"
#include "store/provenance.h"
#include "store/rows.h"
#include "store/shown.h"
#include "store/state.h"
#include "store/statements.h"

enum {
    ROWS = 64,         // of the number line read together
    READS = 64,        // of rows at a time: most may give nothing
    PAGE_BITS = 32768, // of the marks
};

enum { ROW_VERSION = 0, ROW_MEMBER = 1, ROW_GROUP = 2, ROW_AGAIN = 3 }; // as SQL_FEED_ROWS names them

struct root {
    struct store_feed_root shown; // its fragment is owned
    int64_t scope;
    int64_t version; // its number in the scope; 0: the scope's entry
    int64_t seq;     // where it stands
    bool whole;      // also what is older than the walk
};

struct frame { // an object whose links are being visited
    struct child_row self;
    struct child_rows links;
    size_t next;
};

struct store_feed {
    struct hash person;
    bool own;              // another node of ours: what was found for it is not looked at again
    struct shown *decides; // in the job that goes on
    int64_t source;        // the person's number as one
    int64_t floor;         // where the walk began
    int64_t joined;        // where the number line ended then; -1: it has not begun
    int64_t place;
    int64_t reached; // rows are read up to here
    struct root *roots;
    size_t count, cap, next;
    int64_t *scopes; // to be gone through as a whole
    size_t scope_count, scope_next;
    int64_t inner; // of the present one, behind which its versions go on; -1: its own entry is next
    struct frame *frames;
    size_t depth, frame_cap;
    bool begun;    // the root at next
    bool returned; // a root was passed over since the person's node sent it
    bool more;
    uint8_t **pages;
    size_t page_count;
};

// ---- Marks ----------------------------------------------------------------------------------------------------------

static bool is_marked(const struct store_feed *f, int64_t seq)
{
    size_t page = (size_t)seq / PAGE_BITS;
    size_t bit = (size_t)seq % PAGE_BITS;
    return page < f->page_count && f->pages[page] != NULL && (f->pages[page][bit / 8] >> (bit % 8) & 1) != 0;
}

static void mark(struct store_feed *f, int64_t seq)
{
    size_t page = (size_t)seq / PAGE_BITS;
    size_t bit = (size_t)seq % PAGE_BITS;
    if (page >= f->page_count) {
        f->pages = mem_resize(f->pages, (page + 1) * sizeof *f->pages);
        while (f->page_count <= page)
            f->pages[f->page_count++] = NULL;
    }
    if (f->pages[page] == NULL)
        f->pages[page] = mem_alloc(PAGE_BITS / 8);
    f->pages[page][bit / 8] = (uint8_t)(f->pages[page][bit / 8] | 1U << (bit % 8));
}

// ---- Below a root ---------------------------------------------------------------------------------------------------

// What the person's node sent since the walk began is there. What it sent before, it may have lost meanwhile.
static bool is_known(struct store *s, const struct store_feed *f, const struct object_row *row)
{
    return is_marked(f, row->seq) || (!f->roots[f->next].whole && row->seq <= f->floor) ||
           (row->seq > f->joined && provenance_has(s, row, f->source));
}

static enum status enter(struct store *s, struct store_feed *f, const struct child_row *c, struct error *e)
{
    if (f->depth == f->frame_cap) {
        f->frame_cap = f->frame_cap != 0 ? 2 * f->frame_cap : 16;
        f->frames = mem_resize(f->frames, f->frame_cap * sizeof *f->frames);
    }
    struct frame *top = &f->frames[f->depth++];
    *top = (struct frame){.self = *c};
    return links_load(s, c->row.seq, &top->links, e);
}

static enum status leave(struct store_feed *f, const struct store_feed_visitor *v, struct error *e)
{
    struct frame *top = &f->frames[--f->depth];
    free(top->links.items);
    mark(f, top->self.row.seq);
    return v->object(v->ctx, top->self.kind, &top->self.target, e);
}

static enum status visit_file(struct store *s, struct store_feed *f, const struct child_row *c,
                              const struct object_row *parent, const struct store_feed_visitor *v, struct error *e)
{
    if (!provenance_may_show(s, c->kind, &c->row, parent) || (c->found && is_marked(f, c->row.seq)))
        return STATUS_OK;
    if (c->found)
        mark(f, c->row.seq);
    return v->object(v->ctx, c->kind, &c->target, e);
}

static enum status visit(struct store *s, struct store_feed *f, const struct child_row *c,
                         const struct object_row *parent, const struct store_feed_visitor *v, struct error *e)
{
    if (c->found && c->row.state == STATE_DELETED)
        return STATUS_OK;
    if (c->kind == LINK_BLOB || c->kind == LINK_CLOB)
        return visit_file(s, f, c, parent, v, e);
    if (!c->found || c->row.state == STATE_WANTED)
        return error_set(e, STATUS_NOT_FOUND, "SB-READ2", "File not found: %s", hash_text(&c->target).s);
    return is_known(s, f, &c->row) ? STATUS_OK : enter(s, f, c, e);
}

static enum status step(struct store *s, struct store_feed *f, const struct store_feed_visitor *v, struct error *e)
{
    struct frame *top = &f->frames[f->depth - 1];
    if (top->next == top->links.count)
        return leave(f, v, e);
    struct child_row c = top->links.items[top->next++]; // entering moves the frames
    struct object_row parent = top->self.row;
    return visit(s, f, &c, &parent, v, e);
}

static void drop_frames(struct store_feed *f)
{
    while (f->depth != 0)
        free(f->frames[--f->depth].links.items);
}

// What is found is given in later jobs, too: by then the person may not see it any more.
static enum status is_still_shown(struct store_feed *f, bool *yes, struct error *e)
{
    const struct root *r = &f->roots[f->next];
    *yes = true;
    return f->own ? STATUS_OK : shown_root(f->decides, r->scope, r->version, yes, e);
}

// *gone: it cannot be read, or is at the person's node already.
static enum status begin_root(struct store *s, struct store_feed *f, const struct store_feed_visitor *v, bool *gone,
                              struct error *e)
{
    const struct store_feed_root *r = &f->roots[f->next].shown;
    bool is_id = hash_is_zero(&r->hash);
    struct child_row c = {.kind = is_id ? LINK_ID : LINK_OBJECT, .target = is_id ? r->id_hash : r->hash};
    enum status status = object_row_find(s, &c.target, &c.found, &c.row, e);
    *gone = status != STATUS_OK || !c.found || c.row.state >= STATE_WANTED;
    bool returns = !*gone && c.row.seq > f->joined && provenance_has(s, &c.row, f->source);
    f->returned = f->returned || returns;
    *gone = *gone || returns || !v->root(v->ctx, r, false);
    if (status != STATUS_OK || *gone)
        return status;
    f->begun = true;
    return is_marked(f, c.row.seq) ? STATUS_OK : enter(s, f, &c, e);
}

// One root, or as much of it as is wanted. What cannot be read is left to whoever repairs it.
static enum status give_root(struct store *s, struct store_feed *f, const struct store_feed_visitor *v, struct error *e)
{
    const struct store_feed_root *shown = &f->roots[f->next].shown;
    bool gone;
    bool is_shown;
    enum status status = is_still_shown(f, &is_shown, e);
    gone = !is_shown;
    if (status == STATUS_OK && is_shown && f->begun)
        gone = !v->root(v->ctx, shown, true);
    else if (status == STATUS_OK && is_shown)
        status = begin_root(s, f, v, &gone, e);
    while (status == STATUS_OK && !gone && f->depth != 0 && !v->full(v->ctx))
        status = step(s, f, v, e);
    if (status == STATUS_OK && !gone && f->depth != 0)
        return STATUS_OK;
    if (status == STATUS_OK && !gone)
        v->over(v->ctx, shown);
    drop_frames(f);
    f->begun = false;
    f->next++;
    return status == STATUS_NOT_FOUND || status == STATUS_CORRUPT ? STATUS_OK : status;
}

// ---- Which roots ----------------------------------------------------------------------------------------------------

static void forget_roots(struct store_feed *f)
{
    for (size_t i = 0; i < f->count; i++)
        free((char *)f->roots[i].shown.fragment.ptr);
    f->count = f->next = 0;
}

// Copies the fragment.
static void add_root(struct store_feed *f, const struct root *root)
{
    if (f->count == f->cap) {
        f->cap = f->cap != 0 ? 2 * f->cap : ROWS;
        f->roots = mem_resize(f->roots, f->cap * sizeof *f->roots);
    }
    struct root *r = &f->roots[f->count++];
    *r = *root;
    char *copy = mem_alloc(root->shown.fragment.len + 1);
    memcpy(copy, root->shown.fragment.ptr, root->shown.fragment.len);
    r->shown.fragment.ptr = copy;
}

static void add_scope(struct store_feed *f, int64_t scope)
{
    f->scopes = mem_resize(f->scopes, (f->scope_count + 1) * sizeof *f->scopes);
    f->scopes[f->scope_count++] = scope;
    if (f->scope_count == 1)
        f->inner = -1;
}

// The scope's own entry.
static enum status add_entry(struct store *s, struct store_feed *f, int64_t scope, int64_t seq, struct error *e)
{
    bool found;
    struct hash target;
    struct root root = {.scope = scope, .seq = seq, .whole = true};
    sqlite3_stmt *st = statement(s, SQL_FEED_ENTRY);
    sqlite3_bind_int64(st, 1, scope);
    enum status status = statement_step(s, st, &found, e);
    if (status != STATUS_OK || !found)
        return status;
    root.shown.fragment = column_bytes(st, 3);
    if (column_hash(st, 1, &target) && root.shown.fragment.len != 0) {
        (void)column_hash(st, 2, &root.shown.id_hash);
        if (sqlite3_column_int(st, 0) != SCOPE_ID)
            root.shown.hash = target;
        add_root(f, &root);
    }
    sqlite3_reset(st);
    return STATUS_OK;
}

static enum status add_version(struct store *s, struct store_feed *f, int64_t scope, int64_t seq, bool whole,
                               struct error *e)
{
    bool found;
    struct root root = {.scope = scope, .version = seq, .seq = seq, .whole = whole};
    sqlite3_stmt *st = statement(s, SQL_FEED_VERSION);
    sqlite3_bind_int64(st, 1, scope);
    sqlite3_bind_int64(st, 2, seq);
    enum status status = statement_step(s, st, &found, e);
    if (status != STATUS_OK || !found)
        return status;
    root.shown.fragment = column_bytes(st, 1);
    if (root.shown.fragment.len != 0 && column_hash(st, 0, &root.shown.hash) && column_hash(st, 2, &root.shown.id_hash))
        add_root(f, &root);
    sqlite3_reset(st);
    return STATUS_OK;
}

struct row { // of the number line
    int64_t seq;
    int kind;
    int64_t scope;
    int64_t version; // its number in the scope; 0: the scope's entry
    struct hash group;
};

static enum status add_group(struct store *s, struct store_feed *f, const struct row *row, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_FEED_OF_GROUP);
    bind_hash(st, 1, &row->group);
    for (;;) {
        bool found;
        enum status status = statement_step(s, st, &found, e);
        if (status != STATUS_OK || !found)
            return status;
        add_scope(f, sqlite3_column_int64(st, 0));
    }
}

static enum status add_row(struct store *s, struct store_feed *f, const struct row *row, struct error *e)
{
    bool seen = false;
    int64_t from = 0;
    if (row->kind == ROW_GROUP)
        return add_group(s, f, row, e);
    enum status status = shown_from(s, &f->person, row->scope, &seen, &from, e);
    if (status != STATUS_OK || !seen || from > row->seq)
        return status; // what is seen only later comes there
    if (row->kind == ROW_MEMBER) {
        if (from == row->seq)
            add_scope(f, row->scope);
        return STATUS_OK;
    }
    bool again = row->kind == ROW_AGAIN;
    if (again && row->version == 0)
        return add_entry(s, f, row->scope, row->seq, e);
    return add_version(s, f, row->scope, row->version, again, e);
}

static enum status read_rows(struct store *s, struct store_feed *f, struct row *rows, size_t *count, struct error *e)
{
    sqlite3_stmt *st = statement(s, SQL_FEED_ROWS);
    sqlite3_bind_int64(st, 1, f->reached);
    bind_hash(st, 2, &f->person);
    sqlite3_bind_int(st, 3, ROWS);
    for (*count = 0;;) {
        bool found;
        enum status status = statement_step(s, st, &found, e);
        if (status != STATUS_OK || !found)
            return status;
        struct row *row = &rows[(*count)++];
        *row = (struct row){.seq = sqlite3_column_int64(st, 0),
                            .kind = sqlite3_column_int(st, 1),
                            .scope = sqlite3_column_int64(st, 2),
                            .version = sqlite3_column_int64(st, 4)};
        (void)column_hash(st, 3, &row->group);
    }
}

// Of one id the newest first; ids in the order they appeared.
static void newest_first(struct store_feed *f)
{
    for (size_t i = 0; i < f->count; i++) {
        size_t best = i;
        for (size_t k = i + 1; k < f->count; k++)
            if (!hash_is_zero(&f->roots[k].shown.id_hash) && !hash_is_zero(&f->roots[i].shown.hash) &&
                !hash_is_zero(&f->roots[k].shown.hash) &&
                hash_eq(&f->roots[k].shown.id_hash, &f->roots[i].shown.id_hash) && f->roots[k].seq > f->roots[best].seq)
                best = k;
        struct root newest = f->roots[best];
        memmove(&f->roots[i + 1], &f->roots[i], (best - i) * sizeof *f->roots);
        f->roots[i] = newest;
    }
}

static enum status load_versions(struct store *s, struct store_feed *f, int64_t scope, size_t *found, struct error *e)
{
    int64_t seqs[ROWS];
    enum status status = STATUS_OK;
    sqlite3_stmt *st = statement(s, SQL_FEED_OF_SCOPE);
    sqlite3_bind_int64(st, 1, scope);
    sqlite3_bind_int64(st, 2, f->inner);
    sqlite3_bind_int64(st, 3, f->reached);
    sqlite3_bind_int(st, 4, ROWS);
    for (bool row = true; status == STATUS_OK && row;) {
        status = statement_step(s, st, &row, e);
        if (status == STATUS_OK && row)
            seqs[(*found)++] = sqlite3_column_int64(st, 0);
    }
    for (size_t i = 0; status == STATUS_OK && i < *found; i++) {
        f->inner = seqs[i];
        status = add_version(s, f, scope, seqs[i], true, e);
    }
    return status;
}

// The next roots of the scopes that are gone through as a whole.
static enum status load_scope(struct store *s, struct store_feed *f, struct error *e)
{
    int64_t scope = f->scopes[f->scope_next];
    size_t found = 0;
    enum status status = STATUS_OK;
    if (f->inner < 0) {
        f->inner = 0;
        status = add_entry(s, f, scope, 0, e);
    }
    if (status == STATUS_OK)
        status = load_versions(s, f, scope, &found, e);
    if (found < ROWS) {
        f->inner = -1;
        f->scope_next++;
    }
    return status;
}

static enum status load_rows(struct store *s, struct store_feed *f, bool *end, struct error *e)
{
    struct row rows[ROWS];
    size_t count;
    f->place = f->reached;
    f->scope_count = f->scope_next = 0;
    enum status status = read_rows(s, f, rows, &count, e);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = add_row(s, f, &rows[i], e);
    *end = count == 0;
    if (count != 0)
        f->reached = rows[count - 1].seq;
    return status;
}

static enum status walk_on(struct store *s, struct store_feed *f, const struct store_feed_visitor *visitor,
                           struct error *e)
{
    enum status status = STATUS_OK;
    bool end = false;
    size_t reads = 0;
    f->more = true;
    if (f->joined < 0)
        f->joined = store_feed_end(s);
    while (status == STATUS_OK && !end && reads < READS && !visitor->full(visitor->ctx)) {
        if (f->next < f->count) {
            status = give_root(s, f, visitor, e);
            continue;
        }
        forget_roots(f);
        reads++;
        status = f->scope_next < f->scope_count ? load_scope(s, f, e) : load_rows(s, f, &end, e);
        newest_first(f);
    }
    f->more = !end;
    return status;
}

enum status store_feed_go_on(struct store *s, struct store_feed *f, const struct store_feed_visitor *visitor,
                             struct error *e)
{
    struct shown decides;
    enum status status = shown_begin(&decides, s, &f->person, f->own, e);
    f->decides = &decides;
    if (status == STATUS_OK)
        status = walk_on(s, f, visitor, e);
    f->decides = NULL;
    shown_end(&decides);
    return status;
}

// ---- Life -----------------------------------------------------------------------------------------------------------

struct store_feed *store_feed_create(const struct hash *person, bool own, int64_t since)
{
    struct store_feed *f = mem_alloc(sizeof *f);
    *f = (struct store_feed){
        .person = *person, .own = own, .floor = since, .place = since, .reached = since, .joined = -1};
    f->source = provenance_source(person);
    return f;
}

void store_feed_destroy(struct store_feed *f)
{
    if (f == NULL)
        return;
    drop_frames(f);
    forget_roots(f);
    for (size_t i = 0; i < f->page_count; i++)
        free(f->pages[i]);
    free(f->pages);
    free(f->frames);
    free(f->roots);
    free(f->scopes);
    free(f);
}

int64_t store_feed_place(const struct store_feed *f)
{
    return f->place;
}

bool store_feed_take_returned(struct store_feed *f)
{
    bool returned = f->returned;
    f->returned = false;
    return returned;
}

bool store_feed_has_more(const struct store_feed *f)
{
    return f->more;
}

int64_t store_feed_end(const struct store *s)
{
    return (store_is_snapshot(s) ? s->marks[0].next_seq : s->next_seq) - 1;
}
