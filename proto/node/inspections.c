// The answers are the reference's, member for member, so their shape is given and not chosen. What may be seen is asked
// of the same two places that CHUM asks (may_see); single objects only if a session has shown them to this person.
#include "node/inspections.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "conn/debug.h"
#include "data/jsonform.h"
#include "models/entitled.h"
#include "models/policy.h"
#include "node/job.h"
#include "node/json.h"
#include "node/peers_internal.h"

struct inspections {
    struct peers *peers;
    struct debug_host host;
};

struct inspection { // one question on its way through the store
    struct inspections *owner;
    struct debug *debug;
    const struct identity *self; // whom the person asks
    struct hash person;
    enum debug_kind kind;
    struct hash hash;
    struct buf answer;
};

// ---- What may be seen ----------------------------------------------------------------------------------------------

struct listing {
    struct model m;
    const struct inspection *of;
    json_t *reasons; // {"groups":[],"person":…}
    json_t *objects;
};

static json_t *object_json(struct listing *l, const struct hash *hash)
{
    struct object o;
    if (store_get_object(l->m.store, hash, l->m.arena, &o, NULL) != STATUS_OK)
        return NULL;
    return jsonform_write(o.value);
}

// A version node is shown as the version it stands for, with its time.
static json_t *version_json(struct listing *l, const json_t *root)
{
    struct hash node;
    struct object o;
    struct hash data;
    double created = 0;
    if (!hash_parse(span_of(json_string_value(json_object_get(root, "node"))), &node) ||
        store_get_object(l->m.store, &node, l->m.arena, &o, NULL) != STATUS_OK ||
        !value_get_hash(o.value, "data", &data) || !value_get_number(o.value, "creationTime", &created))
        return NULL;
    return json_pack("{s:s, s:o, s:O, s:O, s:[I]}", "type", "versioned", "hash", node_json_hash(&data), "idHash",
                     json_object_get(root, "dataIdHash"), "oneType", json_object_get(root, "dataType"), "timestamps",
                     (json_int_t)time_clamp(created));
}

static json_t *shown_root(struct listing *l, json_t *root)
{
    const char *type = json_string_value(json_object_get(root, "type"));
    struct hash hash;
    if (strcmp(type, "version_node") == 0)
        return version_json(l, root);
    bool is_id = strcmp(type, "id") == 0;
    json_object_set(root, "accessReasons", l->reasons);
    if (strcmp(type, "versioned") == 0) {
        json_object_set_new(root, "timestamps", json_array());
    } else if (hash_parse(span_of(json_string_value(json_object_get(root, is_id ? "idHash" : "hash"))), &hash)) {
        json_t *object = object_json(l, &hash);
        if (object != NULL)
            json_object_set_new(root, is_id ? "idObj" : "obj", object);
        json_object_del(root, "oneType");
    }
    return json_incref(root);
}

// The same that CHUM shows the person.
static bool may_see(struct listing *l, const struct hash *what)
{
    struct store_info info;
    const struct inspection *i = l->of;
    return store_info(l->m.store, what, &info, NULL) == STATUS_OK &&
           policy_may_serve(&l->m, &i->person, span_of(info.type), what) &&
           entitled_to_show(node_actors(i->owner->peers->node), &l->m, &i->person, span_of(info.type), what);
}

static enum status list_root(struct span fragment, const struct hash *hash, const struct hash *id_hash, void *arg)
{
    struct listing *l = arg;
    if (!may_see(l, id_hash != NULL ? id_hash : hash))
        return STATUS_OK;
    json_t *root = json_loadb(fragment.ptr, fragment.len, 0, NULL);
    json_t *shown = root != NULL ? shown_root(l, root) : NULL;
    if (shown != NULL)
        json_array_append_new(l->objects, shown);
    json_decref(root);
    return STATUS_OK;
}

static enum status objects_work(struct store *s, void *arg, struct error *e)
{
    struct inspection *i = arg;
    uint64_t skipped;
    struct listing l = {.of = i, .objects = json_array()};
    l.m = (struct model){.store = s, .self = i->self, .arena = arena_create(), .now_ms = clock_wall_ms()};
    l.reasons = json_pack("{s:[], s:o}", "groups", "person", node_json_hash(&i->person));
    enum status st = store_roots(s, &i->person, list_root, &l, &skipped, e);
    if (st == STATUS_OK) {
        char *text = json_dumps(l.objects, JSON_COMPACT);
        buf_add_text(&i->answer, text);
        free(text);
    }
    json_decref(l.reasons);
    json_decref(l.objects);
    arena_destroy(l.m.arena);
    return st;
}

// ---- One object ----------------------------------------------------------------------------------------------------

static enum status data_work(struct store *s, void *arg, struct error *e)
{
    struct inspection *i = arg;
    struct store_info info;
    enum status st = store_info(s, &i->hash, &info, e);
    if (st == STATUS_OK && i->kind == DEBUG_BLOB) {
        buf_printf(&i->answer, "File size: %llu", (unsigned long long)info.size);
    } else if (st == STATUS_OK && i->kind == DEBUG_CLOB) {
        st = store_read_chunk(s, &i->hash, 0, &i->answer, e);
    } else if (st == STATUS_OK) {
        struct arena *arena = arena_create();
        struct span text;
        st = store_get(s, &i->hash, arena, &text, e);
        if (st == STATUS_OK)
            buf_add_span(&i->answer, text);
        arena_destroy(arena);
    }
    return st;
}

static void answer(void *arg, enum status status, const struct error *e)
{
    struct inspection *i = arg;
    (void)e;
    if (status == STATUS_OK)
        debug_answer(i->debug, buf_span(&i->answer));
    else
        debug_refuse(i->debug);
    buf_free(&i->answer);
    free(i);
}

static struct inspection *begin(struct inspections *is, struct debug *d, const struct conn *c,
                                const struct hash *person)
{
    struct inspection *i = mem_alloc(sizeof *i);
    i->owner = is;
    i->debug = d;
    i->self = peers_local(is->peers, conn_local(c))->self;
    i->person = *person;
    return i;
}

static void ask_objects(void *ctx, struct debug *d, const struct conn *c, const struct hash *person)
{
    struct inspections *is = ctx;
    store_submit_read(node_queue(is->peers->node), objects_work, answer, begin(is, d, c, person));
}

static void ask_data(void *ctx, struct debug *d, const struct conn *c, const struct hash *person, enum debug_kind kind,
                     const struct hash *hash)
{
    struct inspections *is = ctx;
    if (!syncs_shown_to(is->peers->syncs, peers_local(is->peers, conn_local(c))->self, person, hash)) {
        debug_refuse(d);
        return;
    }
    struct inspection *i = begin(is, d, c, person);
    i->kind = kind;
    i->hash = *hash;
    store_submit_read(node_queue(is->peers->node), data_work, answer, i);
}

void inspections_serve(struct inspections *is, struct conn *c)
{
    debug_serve(c, &is->host);
}

struct inspections *inspections_create(struct peers *p)
{
    struct inspections *is = mem_alloc(sizeof *is);
    is->peers = p;
    is->host = (struct debug_host){.ctx = is, .objects = ask_objects, .data = ask_data};
    return is;
}

void inspections_destroy(struct inspections *is)
{
    free(is);
}
