#include "model_node.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/access.h"
#include "models/contact.h"
#include "models/leute.h"
#include "models/policy.h"
#include "models/sharing.h"

int64_t model_node_time = 1700000000000;

void model_node_check(enum status status, const struct error *e, const char *what)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "%s: %s %s\n", what, e->code, e->message);
    abort();
}

static int64_t clock_by_hand(void)
{
    return model_node_time;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

// ---- One node -------------------------------------------------------------------------------------------------------

static void open_store(struct model_node *n)
{
    struct error e = {0};
    struct store_report report;
    char path[100];
    strcpy(n->dir, "/tmp/tandem-model-XXXXXX");
    if (mkdtemp(n->dir) == NULL)
        abort();
    snprintf(path, sizeof path, "%s/store", n->dir);
    n->recipes = recipes_create(true);
    const struct store_options options = {.dir = path, .kind = STORE_SPARSE, .recipes = n->recipes};
    model_node_check(store_open(&options, &n->store, &report, &e), &e, "store_open");
    snprintf(path, sizeof path, "%s/private", n->dir);
    n->node_key = secret_random(32);
    model_node_check(keychain_open(path, &n->node_key, true, &n->keys, &e), &e, "keychain_open");
}

void model_node_open(struct model_node *n, const struct instance_options *options, const struct model_fixed *fixed)
{
    struct error e = {0};
    bool created;
    *n = (struct model_node){0};
    open_store(n);
    model_node_check(store_begin(n->store, &e), &e, "store_begin");
    model_node_check(instance_open(n->store, n->keys, options, model_node_time, &n->self, &created, &e), &e,
                     "instance_open");
    model_node_check(store_commit(n->store, &e), &e, "store_commit");
    n->hooks = (struct hooks){.actors = {.main = n->self}, .fixed = fixed, .now_ms = clock_by_hand};
    hooks_install(n->store, &n->hooks);
    n->m = (struct model){.store = n->store, .self = n->self, .arena = arena_create(), .fixed = fixed};
}

void model_node_open_plain(struct model_node *n, const char *email, const char *instance_name, const char *url)
{
    struct error e = {0};
    const struct instance_options options = {
        .email = span_of(email), .instance_name = span_of(instance_name), .person_name = span_of(email)};
    model_node_open(n, &options, NULL);
    model_node_begin(n);
    model_node_check(leute_init(&n->m, span_of(url), &e), &e, "leute_init");
    model_node_end(n);
}

void model_node_close(struct model_node *n)
{
    store_close(n->store);
    keychain_close(n->keys);
    secret_destroy(&n->node_key);
    identity_destroy(n->self);
    recipes_destroy(n->recipes);
    arena_destroy(n->m.arena);
    nftw(n->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

struct model *model_node_begin(struct model_node *n)
{
    struct error e = {0};
    model_node_check(store_begin(n->store, &e), &e, "store_begin");
    n->m.now_ms = model_node_time;
    return &n->m;
}

void model_node_end(struct model_node *n)
{
    struct error e = {0};
    model_node_check(store_announce(n->store, &e), &e, "store_announce");
    model_node_check(store_commit(n->store, &e), &e, "store_commit");
}

void model_node_drop(struct model_node *n)
{
    store_rollback(n->store);
}

// ---- Two nodes ------------------------------------------------------------------------------------------------------

struct contact_identity model_node_identity(const struct model_node *n, const char *url)
{
    return (struct contact_identity){
        .email = span_of(n->self->email),
        .instance_name = span_of(n->self->instance_name),
        .url = span_of(url),
        .person_public = n->self->person_keys.public_key,
        .instance_public = n->self->instance_keys.public_key,
        .person_sign_public = n->self->person_keys.sign_public,
        .instance_sign_public = n->self->instance_keys.sign_public,
    };
}

static void take_identity(struct model_node *n, const struct model_node *other)
{
    struct error e = {0};
    struct contact_paired paired;
    struct contact_identity identity = model_node_identity(other, NULL);
    model_node_begin(n);
    model_node_check(contact_pair(&n->m, &identity, &paired, &e), &e, "contact_pair");
    model_node_end(n);
}

void model_node_pair(struct model_node *a, struct model_node *b)
{
    take_identity(a, b);
    take_identity(b, a);
}

int model_pair_begin(void **state)
{
    struct model_pair *p = mem_alloc(sizeof *p);
    model_node_time = 1700000000000;
    model_node_open_plain(&p->a, "ann@test", "ann", "ws://localhost:1");
    model_node_open_plain(&p->b, "ben@test", "ben", NULL);
    *state = p;
    return 0;
}

int model_pair_end(void **state)
{
    struct model_pair *p = *state;
    model_node_close(&p->a);
    model_node_close(&p->b);
    free(p);
    return 0;
}

struct pass { // one pass of CHUM
    struct model_node *from;
    struct model_node *to;
    size_t refused;
    struct error e;
};

static void copy_file(struct pass *p, const struct hash *hash)
{
    struct store_writer *w;
    struct buf chunk = {0};
    uint64_t offset = 0;
    bool is_new;
    struct hash stored;
    model_node_check(store_writer_create(p->to->store, false, &w, &p->e), &p->e, "store_writer_create");
    do {
        buf_clear(&chunk);
        model_node_check(store_read_chunk(p->from->store, hash, offset, &chunk, &p->e), &p->e, "store_read_chunk");
        model_node_check(store_writer_add(w, buf_span(&chunk), &p->e), &p->e, "store_writer_add");
        offset += chunk.len;
    } while (chunk.len == STORE_CHUNK);
    model_node_check(store_writer_finish(w, hash, &stored, &is_new, &p->e), &p->e, "store_writer_finish");
    store_writer_destroy(w);
    buf_free(&chunk);
}

static void copy(struct pass *p, const struct hash *hash)
{
    struct span type;
    enum microdata_form form;
    struct span text;
    struct object o;
    struct store_info info;
    if (store_presence(p->to->store, hash) == STORE_PRESENT)
        return;
    model_node_check(store_info(p->from->store, hash, &info, &p->e), &p->e, "store_info");
    if (info.type[0] == '\0') {
        copy_file(p, hash);
        return;
    }
    model_node_check(store_get(p->from->store, hash, p->to->m.arena, &text, &p->e), &p->e, "store_get");
    if (!microdata_sniff(text, &type, &form))
        abort();
    model_node_check(object_read(p->to->recipes, p->to->m.arena, text, form, hash, &o, &p->e), &p->e, "object_read");
    model_node_check(store_put(p->to->store, &o, NULL, &p->e), &p->e, "store_put");
}

static void copy_tree(struct pass *p, const struct hash *hash)
{
    struct store_children children;
    model_node_check(store_children(p->from->store, hash, &children, &p->e), &p->e, "store_children");
    store_set_parts(p->to->store, true);
    for (size_t i = children.count; i-- > 0;)
        copy(p, &children.items[i].hash);
    store_set_parts(p->to->store, false);
    free(children.items);
    copy(p, hash);
}

static bool is_permitted(struct pass *p, const struct hash *hash)
{
    struct object o;
    struct error why;
    model_node_check(store_get_object(p->from->store, hash, p->to->m.arena, &o, &p->e), &p->e, "store_get_object");
    if (policy_may_import(&p->to->m, &p->from->self->person, &o, &why) == STATUS_OK)
        return true;
    p->refused++;
    return false;
}

static struct value *read_node(struct pass *p, const struct hash *node)
{
    struct object o;
    model_node_check(store_get_object(p->from->store, node, p->to->m.arena, &o, &p->e), &p->e, "version node");
    return o.value;
}

// Fetches the new version nodes of an id and merges the deepest one (DATA-MODEL.md 8.10).
static void import_versions(struct pass *p, const struct hash *id_hash)
{
    struct hash head;
    struct hash newest = {{0}};
    struct hash_list nodes = {0};
    struct version_result ignored;
    double depth = -1;
    double time = 0;
    if (store_head(p->from->store, id_hash, &head, NULL) != STATUS_OK)
        return;
    model_node_check(version_list(store_versions(p->from->store), &head, &nodes, &p->e), &p->e, "version_list");
    for (size_t i = 0; i < nodes.count; i++) {
        struct hash data = {{0}};
        double d = 0;
        const struct value *node = read_node(p, &nodes.items[i]);
        value_get_hash(node, "data", &data);
        value_get_number(node, "depth", &d);
        if (store_presence(p->to->store, &nodes.items[i]) == STORE_PRESENT || !is_permitted(p, &data))
            continue;
        copy_tree(p, &nodes.items[i]);
        if (d > depth) {
            depth = d;
            newest = data;
            value_get_number(node, "creationTime", &time);
        }
    }
    hash_list_free(&nodes);
    if (depth >= 0)
        model_node_check(version_merge_foreign(store_versions(p->to->store), &newest, time, &ignored, &p->e), &p->e,
                         "version_merge_foreign");
}

size_t model_node_sync(struct model_node *from, struct model_node *to)
{
    struct pass p = {.from = from, .to = to};
    struct access_grants grants;
    model_node_begin(from);
    model_node_begin(to);
    store_set_sender(to->store, &from->self->person);
    model_node_check(access_list(&from->m, NULL, &grants, &p.e), &p.e, "access_list");
    for (size_t i = 0; i < grants.count; i++) {
        const struct access_target *target = &grants.items[i].target;
        if (!access_has(&from->m, *target, &to->self->person) ||
            !policy_may_serve(&from->m, &to->self->person, span_of(grants.items[i].type), &target->hash))
            continue;
        if (target->kind == ACCESS_ID)
            import_versions(&p, &target->hash);
        else if (is_permitted(&p, &target->hash))
            copy_tree(&p, &target->hash);
    }
    store_set_sender(to->store, NULL);
    model_node_end(to);
    model_node_end(from);
    return p.refused;
}

void model_node_become_own(struct model_node *a, struct model_node *b)
{
    struct model *m = model_node_begin(a);
    MUST(sharing_set_own_node(m, &b->self->person, &b->self->instance_keys.public_key, &e));
    MUST(sharing_apply(m, &b->self->person, &e));
    model_node_end(a);
}
