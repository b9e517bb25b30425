// The rules are those of a pass through the list of roots (plan.h, receive.h), but for one: an entry of a channel whose
// data is not in the batch is no gap, since the feed leaves out what it takes for known.
#include "chum/intake.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "chum/charge.h"
#include "chum/pack.h"
#include "chum/receive.h"
#include "crypto/sha256.h"
#include "store/delivery.h"
#include "store/settled.h"

enum {
    PARTS_MAX = 4096,
    CONTACT_ITEMS_MAX = 4096,    // ours end at 256 KiB, and nothing in them is shorter than 64 bytes
    CONTACT_BYTES_MAX = 1 << 20, // beside the biggest object
};

struct part { // of the batch: a root with what came below it
    struct chum_root root;
    struct span items;
    size_t want; // index + 1; 0 = not wanted
    bool over;   // the root is complete
    bool failed;
    struct error why;
    struct span text; // of the root itself; empty: it came below another one
};

struct sorting {
    struct store *store;
    struct chum_intake *in;
    struct arena *arena;
    struct buf list; // of roots, as service 2 would give it
    struct part *parts;
    size_t count, cap;
    size_t biggest; // of the objects
    struct chum_roots roots;
    struct chum_plan plan;
    struct store_settled peer; // if its roots are counted
};

// ---- The parts of a batch -------------------------------------------------------------------------------------------

static struct part *add_part(struct sorting *b, struct span entry, struct span rest)
{
    if (b->count == b->cap) {
        b->cap = b->cap != 0 ? 2 * b->cap : 64;
        b->parts = mem_resize(b->parts, b->cap * sizeof *b->parts);
    }
    buf_add_char(&b->list, b->count == 0 ? '[' : ',');
    buf_add_span(&b->list, entry);
    struct part *p = &b->parts[b->count++];
    *p = (struct part){.items = {rest.ptr, 0}};
    return p;
}

static enum status broken(struct error *e, const char *what)
{
    return error_set(e, STATUS_INVALID, "FEED-BROKEN", "the peer's batch of objects is not one: %s", what);
}

// A batch is one job, in which nobody else's are done.
static bool is_too_much(const struct sorting *b)
{
    return !b->in->own && (b->in->items > CONTACT_ITEMS_MAX || b->in->batch.len > CONTACT_BYTES_MAX + b->biggest);
}

static void note_item(struct sorting *b, const struct chum_batch_item *item)
{
    b->in->items += item->what != BATCH_ROOT_OVER;
    if (item->what == BATCH_OBJECT && item->text.len > b->biggest)
        b->biggest = item->text.len;
}

static enum status find_parts(struct sorting *b, struct span rest, struct error *e)
{
    struct chum_batch_item item;
    struct part *p = NULL;
    bool found = true;
    enum status st = STATUS_OK;
    while (st == STATUS_OK && found) {
        st = chum_batch_read(&rest, &item, &found, e);
        if (st != STATUS_OK || !found)
            break;
        note_item(b, &item);
        if (item.what == BATCH_ROOT && item.text.len <= CHUM_ENTRY_MAX && b->count < PARTS_MAX)
            p = add_part(b, item.text, rest);
        else if (p == NULL || p->over || item.what == BATCH_ROOT)
            return broken(e, "something belongs to no root");
        p->over = item.what == BATCH_ROOT_OVER;
        p->items.len = (size_t)(rest.ptr - p->items.ptr);
    }
    if (b->count != 0)
        buf_add_char(&b->list, ']');
    if (st == STATUS_OK && is_too_much(b))
        return broken(e, "it is more than is taken at once");
    return st;
}

static const struct hash *name_of(const struct chum_root *r)
{
    return r->kind == CHUM_ROOT_ID ? &r->id_hash : &r->hash;
}

// What was deleted here and is offered again may be wanted again, as something that comes with it says.
static bool offers_deleted(const struct sorting *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->parts[i].want == 0 && (store_is_deleted(b->store, name_of(&b->parts[i].root)) ||
                                      store_is_deleted(b->store, &b->parts[i].root.id_hash)))
            return true;
    return false;
}

static enum status make_plan(struct sorting *b, struct error *e)
{
    const struct chum_fetch *f = b->in->fetch;
    struct span list = buf_span(&b->list);
    enum status st = chum_roots_read(b->arena, list, &b->roots, e);
    if (st == STATUS_OK && b->roots.count != b->count)
        st = broken(e, "an entry names no root");
    if (st == STATUS_OK)
        st = chum_plan_make(b->store, f->policy, &f->sender, b->in->waiting, list, &b->plan, e);
    if (st != STATUS_OK)
        return st;
    struct hash_map *parts = hash_map_create();
    for (size_t i = 0; i < b->count; i++) {
        b->parts[i].root = b->roots.items[i];
        if (!hash_map_has(parts, name_of(&b->parts[i].root))) // granted in two ways it may be there twice
            hash_map_set(parts, name_of(&b->parts[i].root), &b->parts[i]);
    }
    for (size_t w = 0; w < b->plan.count; w++)
        for (size_t i = 0; i < b->plan.wants[w].count; i++) {
            struct part *p = hash_map_get(parts, &b->plan.wants[w].hashes[i]);
            if (p != NULL)
                p->want = w + 1;
        }
    hash_map_destroy(parts);
    b->in->skipped = b->plan.skipped;
    b->in->left = b->plan.postponed || b->plan.unknown || b->plan.waited.count != 0 || offers_deleted(b);
    return STATUS_OK;
}

// ---- What is below the roots ----------------------------------------------------------------------------------------

// Of a contact's files only what it has, too: otherwise it would get to see one by naming it.
static bool is_here(const struct sorting *b, const struct chum_delivery *d, const struct chum_batch_item *item)
{
    enum store_presence presence = store_presence(b->store, &item->hash);
    return (presence == STORE_PRESENT || presence == STORE_REMOTE) &&
           (d->is_own || store_knowledge_of(d->knowledge, item->kind, &item->hash) == STORE_LINK_KNOWN);
}

static enum status check_size(const struct sorting *b, struct span text, struct error *e)
{
    if (chum_fetch_fits(b->in->fetch, text))
        return STATUS_OK;
    return error_set(e, STATUS_TOO_BIG, "OBJECT-TOO-BIG", "the peer's object has %zu bytes", text.len);
}

// What is here of somebody else, and the peer has too, is noted.
static enum status take_known(struct sorting *b, const struct chum_delivery *d, const struct hash *hash,
                              struct error *e)
{
    bool vouches = !d->is_own && store_knowledge_is_borrowed(d->knowledge);
    return vouches ? store_vouch(b->store, hash, e) : STATUS_OK;
}

static enum status take_object(struct sorting *b, struct part *p, struct chum_delivery *d,
                               const struct chum_batch_item *item, struct error *e)
{
    bool is_id = item->kind == LINK_ID;
    enum status st = check_size(b, item->text, e);
    if (st != STATUS_OK)
        return st;
    if (hash_eq(&item->hash, name_of(&p->root)) && is_id == (p->root.kind == CHUM_ROOT_ID)) {
        p->text = item->text;
        return STATUS_OK;
    }
    if (store_knowledge_of(d->knowledge, item->kind, &item->hash) == STORE_LINK_KNOWN)
        return take_known(b, d, &item->hash, e);
    b->in->objects++;
    b->in->bytes += item->text.len;
    return chum_store_received(d, item->text, &item->hash, is_id, e);
}

// A file that is not here yet takes its time, and so its root is left; unless the file stays where it is.
static enum status take_file(struct sorting *b, const struct chum_delivery *d, const struct chum_batch_item *item,
                             struct error *e)
{
    if (is_here(b, d, item))
        return STATUS_OK;
    if (chum_fetch_leaves(b->in->fetch, item->size))
        return store_note_remote(b->store, &item->hash, item->kind == LINK_CLOB, (uint64_t)item->size, e);
    return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "a file has to be fetched first");
}

static enum status take_items(struct sorting *b, struct part *p)
{
    struct chum_delivery d;
    struct chum_batch_item item;
    struct span rest = p->items;
    bool found = true;
    const struct chum_want *want = &b->plan.wants[p->want - 1];
    const struct hash versions = chum_want_versions_of(want);
    enum status st = STATUS_OK;
    chum_delivery_begin(&d, b->store, b->in->fetch, &versions, NULL);
    d.strict = true;
    while (st == STATUS_OK && found) {
        st = chum_batch_read(&rest, &item, &found, &p->why);
        if (st != STATUS_OK || !found)
            break;
        if (item.what == BATCH_FILE)
            st = take_file(b, &d, &item, &p->why);
        else if (item.what == BATCH_OBJECT)
            st = take_object(b, p, &d, &item, &p->why);
    }
    chum_delivery_end(&d);
    return st;
}

static enum status take_part(struct sorting *b, struct part *p, struct error *e)
{
    enum status st = store_savepoint(b->store, e);
    if (st != STATUS_OK)
        return st;
    const uint64_t objects = b->in->objects;
    const uint64_t bytes = b->in->bytes;
    st = take_items(b, p);
    if (st == STATUS_OK)
        return store_release(b->store, e);
    store_undo(b->store);
    b->in->objects = objects;
    b->in->bytes = bytes;
    b->in->failed = true;
    LOG(LOG_DEBUG, "feed.left", LOG_TEXT("code", p->why.code), LOG_TEXT("why", p->why.message));
    p->failed = true;
    if (chum_is_refused_or_broken(st))
        return STATUS_OK;
    *e = p->why;
    return st;
}

// What is here already is of somebody else, or ours: two nodes may make the same version of what they were given. That
// the peer has it too is noted, for what it makes next refers to it. It is checked as what is new.
static enum status note_items(struct sorting *b, struct part *p)
{
    static const struct hash none;
    struct chum_delivery d;
    struct chum_batch_item item;
    struct span rest = p->items;
    bool found = true;
    bool is_version = p->root.kind == CHUM_ROOT_VERSION_NODE;
    enum status st = STATUS_OK;
    chum_delivery_begin(&d, b->store, b->in->fetch, is_version ? &p->root.id_hash : &none, NULL);
    d.strict = true;
    while (st == STATUS_OK && found) {
        st = chum_batch_read(&rest, &item, &found, &p->why);
        bool is_object = st == STATUS_OK && found && item.what == BATCH_OBJECT;
        if (!is_object || store_knowledge_of(d.knowledge, item.kind, &item.hash) != STORE_LINK_STRANGE)
            continue;
        st = check_size(b, item.text, &p->why);
        if (st == STATUS_OK)
            st = chum_store_received(&d, item.text, &item.hash, item.kind == LINK_ID, &p->why);
    }
    chum_delivery_end(&d);
    return st;
}

static enum status note_part(struct sorting *b, struct part *p, struct error *e)
{
    if (b->in->own || !store_is_admitted(b->store, name_of(&p->root)))
        return STATUS_OK;
    enum status st = store_savepoint(b->store, e);
    if (st != STATUS_OK)
        return st;
    st = note_items(b, p);
    if (st == STATUS_OK)
        return store_release(b->store, e);
    store_undo(b->store);
    if (chum_is_refused_or_broken(st))
        return STATUS_OK;
    *e = p->why;
    return st;
}

static enum status take_parts(struct sorting *b, struct error *e)
{
    enum status st = STATUS_OK;
    store_set_parts(b->store, true);
    for (size_t i = 0; st == STATUS_OK && i < b->count; i++) {
        struct part *p = &b->parts[i];
        bool is_last = i + 1 == b->count && b->in->head.more == CHUM_BATCH_MORE;
        st = p->want != 0 ? take_part(b, p, e) : note_part(b, p, e);
        b->in->left = b->in->left || p->failed || (!p->over && !is_last); // it has no end: the peer cannot read it
    }
    store_set_parts(b->store, false);
    return st;
}

// ---- The roots themselves -------------------------------------------------------------------------------------------

// Those of one want that are complete, in its order. All of them are left if anything below one of them failed.
static bool gather(struct sorting *b, size_t w, struct chum_want *want, struct span *texts)
{
    bool good = true;
    struct hash_map *parts = hash_map_create();
    for (size_t i = 0; i < b->count; i++)
        if (b->parts[i].want == w + 1)
            hash_map_set(parts, name_of(&b->parts[i].root), &b->parts[i]);
    *want = b->plan.wants[w];
    want->hashes = arena_alloc(b->arena, want->count * sizeof *want->hashes);
    want->count = 0;
    for (size_t i = 0; i < b->plan.wants[w].count; i++) {
        const struct hash *name = &b->plan.wants[w].hashes[i];
        const struct part *p = hash_map_get(parts, name);
        if (p == NULL || !p->over)
            continue;
        good = good && !p->failed;
        texts[want->count] = p->text.len != 0 ? p->text : (struct span){0};
        want->hashes[want->count++] = *name;
    }
    hash_map_destroy(parts);
    return good;
}

static enum status take_want(struct sorting *b, size_t w, struct error *e)
{
    size_t count = b->plan.wants[w].count;
    struct chum_want want;
    struct span *texts = arena_alloc(b->arena, count * sizeof *texts);
    struct chum_root_result *results = mem_array(count, sizeof *results);
    enum status st = STATUS_OK;
    bool good = gather(b, w, &want, texts);
    if (good && want.count != 0)
        st = chum_store_roots(b->store, b->in->fetch, &want, NULL, texts, results, e);
    const bool stored = good && st == STATUS_OK;
    for (size_t i = 0; stored && i < want.count; i++) {
        bool stayed = results[i].status == STATUS_OK && store_is_admitted(b->store, &want.hashes[i]);
        good = good && stayed;
        b->in->objects += stayed && texts[i].len != 0;
        b->in->bytes += stayed ? texts[i].len : 0;
    }
    b->in->left = b->in->left || !good;
    free(results);
    return st;
}

// None of what is wanted was here before, so none of it was counted.
static enum status count_want(struct sorting *b, const struct chum_want *want, struct error *e)
{
    static const struct hash none;
    bool is_id = want->kind == CHUM_ROOT_ID;
    enum status st = STATUS_OK;
    for (size_t i = 0; i < want->count && st == STATUS_OK && b->in->counts; i++)
        st = store_settled_add(b->store, &b->peer, is_id ? &none : &want->hashes[i], &want->id_hash, e);
    return st;
}

static enum status take_all(struct sorting *b, struct error *e)
{
    struct store *s = b->store;
    const struct chum_fetch *f = b->in->fetch;
    uint64_t versions = 0;
    bool found;
    struct store_totals before = chum_charge_begin(s);
    store_set_sender(s, &b->in->fetch->sender);
    enum status st = take_parts(b, e);
    if (st == STATUS_OK && b->in->counts)
        st = store_settled_find(s, &f->sender, &f->self, true, &found, &b->peer, e);
    for (size_t w = 0; st == STATUS_OK && w < b->plan.count; w++) {
        versions += b->plan.wants[w].kind == CHUM_ROOT_VERSION_NODE ? b->plan.wants[w].count : 0;
        st = take_want(b, w, e);
        if (st == STATUS_OK)
            st = count_want(b, &b->plan.wants[w], e);
    }
    if (st == STATUS_OK)
        st = chum_charge_end(s, b->in->fetch, &before, b->in->sent, versions, e);
    store_set_sender(s, NULL);
    return st;
}

// ---- The cursor -----------------------------------------------------------------------------------------------------

// Each of our identities is given its own.
static struct store_setting_name name_of_pair(const struct chum_pair *pair)
{
    const struct hash both = sha256((struct span){(const char *)pair, sizeof *pair});
    return store_setting_about("feed", &both);
}

// Beside it stands the epoch of our own store: one that was made anew, or is an earlier one, may lack what came before.
enum status chum_cursor_keep(struct store *s, const struct chum_pair *pair, const struct chum_cursor *cursor,
                             struct error *e)
{
    char value[96];
    int64_t epoch;
    const struct store_setting_name name = name_of_pair(pair);
    enum status st = store_epoch(s, &epoch, e);
    if (st != STATUS_OK)
        return st;
    snprintf(value, sizeof value, "%" PRId64 " %" PRId64 " %" PRId64, cursor->epoch, cursor->place, epoch);
    return store_setting_set(s, name.s, span_of(value), e);
}

static enum status read_kept(struct store *s, const struct chum_pair *pair, struct arena *a, struct chum_cursor *out,
                             struct error *e)
{
    struct span value;
    struct chum_cursor kept;
    int64_t ours;
    int64_t epoch;
    const struct store_setting_name name = name_of_pair(pair);
    enum status st = store_epoch(s, &epoch, e);
    if (st == STATUS_OK)
        st = store_setting_get(s, name.s, a, &value, e);
    if (st != STATUS_OK)
        return st;
    bool is_whole =
        sscanf(value.ptr, "%" SCNd64 " %" SCNd64 " %" SCNd64, &kept.epoch, &kept.place, &ours) == 3 && kept.place >= 0;
    if (is_whole && ours == epoch)
        *out = kept;
    return STATUS_OK;
}

enum status chum_cursor_read(struct store *s, const struct chum_pair *pair, struct chum_cursor *out, struct error *e)
{
    struct arena *a = arena_create();
    struct hash_list given = {0};
    int64_t after = 0;
    *out = (struct chum_cursor){.place = -1};
    enum status st = read_kept(s, pair, a, out, e);
    if (st == STATUS_NOT_FOUND) {
        st = store_given_by(s, &pair->sender, &after, 1, &given, e);
        out->place = given.count != 0 ? -1 : 0;
    }
    hash_list_free(&given);
    arena_destroy(a);
    return st;
}

// Who may make the store grow by so many times what it sent does not get that by sending one byte a thousand times.
static enum status unpack(struct chum_intake *in, struct error *e)
{
    size_t came = in->batch.len;
    enum status st = chum_unpack(&in->batch, e);
    in->sent = in->batch.len / CHUM_PACK_CREDIT < came ? in->batch.len : came * CHUM_PACK_CREDIT;
    return st;
}

enum status chum_intake_take(struct store *s, struct chum_intake *in, struct error *e)
{
    struct sorting b = {.store = s, .in = in, .arena = arena_create()};
    enum status st = unpack(in, e);
    struct span rest = buf_span(&in->batch);
    if (st == STATUS_OK)
        st = chum_batch_read_head(&rest, &in->head, e);
    if (st == STATUS_OK)
        st = find_parts(&b, rest, e);
    if (st == STATUS_OK && b.count != 0)
        st = make_plan(&b, e);
    if (st == STATUS_OK && b.count != 0)
        st = take_all(&b, e);
    const struct chum_pair pair = {in->fetch->sender, in->fetch->self};
    if (st == STATUS_OK && in->settled && !in->left && in->items != 0)
        st = chum_cursor_keep(s, &pair, &in->head.next, e);
    in->lost = in->items == 0 && store_has_lost(s);
    chum_plan_free(&b.plan);
    chum_roots_free(&b.roots);
    free(b.parts);
    buf_free(&b.list);
    arena_destroy(b.arena);
    return st;
}
