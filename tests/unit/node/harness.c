#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "io/folder.h"
#include "models/contact.h"
#include "models/sharing.h"

// As if it could be dialled, so that it can invite.
static enum status pretend_to_listen(struct node *n, const struct ipc_request *r, void **state, struct node_door *door,
                                     struct error *e)
{
    (void)n;
    (void)r;
    (void)state;
    (void)e;
    snprintf(door->url, sizeof door->url, "ws://localhost:1");
    snprintf(door->told, sizeof door->told, "ws://localhost:1");
    return STATUS_OK;
}

static const struct node_kind kind = {.name = "sparse", .store = STORE_SPARSE, .open = pretend_to_listen};
static struct asked last; // of harness_call

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "harness: %s failed\n", what);
    abort();
}

struct harness *harness_create(void)
{
    struct harness *h = mem_alloc(sizeof *h);
    struct error e;
    crypto_init();
    log_open(STDERR_FILENO, LOG_FORMAT_TEXT, LOG_ERROR, "test");
    const char *tmp = getenv("TMPDIR");
    snprintf(h->dir, sizeof h->dir, "%s/tandem-node-XXXXXX", tmp != NULL && strlen(tmp) < 20 ? tmp : "/tmp");
    must(mkdtemp(h->dir) != NULL, "mkdtemp");
    struct node *n = mem_alloc(sizeof *n);
    n->kind = &kind;
    n->child.dir = h->dir;
    n->loop = loop_create(NULL, &e);
    must(n->loop != NULL, "loop_create");
    n->pool = pool_create(1, loop_mailbox(n->loop));
    node_serve(n);
    h->node = n;
    return h;
}

void harness_provision(struct harness *h)
{
    char key[65];
    memset(key, 'a', 64);
    key[64] = '\0';
    json_t *params = json_pack("{s:s, s:s, s:s, s:s, s:b}", "user", "ann", "email", "ann@test", "instanceName", "ann",
                               "key", key, "create", 1);
    must(harness_call(h, "node.provision", params, NULL) != NULL, last.error.message);
}

void harness_destroy(struct harness *h)
{
    struct error e;
    node_destroy(h->node);
    json_decref(last.result);
    last = (struct asked){0};
    must(folder_remove_tree(h->dir, &e) == STATUS_OK, "folder_remove_tree");
    free(h);
}

static void respond(struct ipc_asker *asker, json_t *result, const struct error *error)
{
    struct asked *a = (struct asked *)asker;
    a->answered = true;
    a->result = result;
    if (error != NULL)
        a->error = *error;
    loop_stop(a->loop);
}

void harness_begin(struct harness *h, struct asked *asked, const char *method, json_t *params)
{
    *asked = (struct asked){.asker = {.respond = respond}, .loop = h->node->loop};
    ipc_service_dispatch(h->node->service, method, params != NULL ? params : json_object(), &asked->asker);
}

void harness_wait(struct harness *h, struct asked *asked)
{
    while (!asked->answered)
        loop_run(h->node->loop);
}

json_t *harness_call(struct harness *h, const char *method, json_t *params, const char **code)
{
    json_decref(last.result);
    harness_begin(h, &last, method, params);
    harness_wait(h, &last);
    if (code != NULL)
        *code = last.error.code;
    return last.result;
}

// ---- Contacts ------------------------------------------------------------------------------------------------------

struct befriending {
    struct harness *h;
    const char *email;
    struct contact_paired paired;
    bool done;
};

static enum status befriend_work(struct store *s, void *arg, struct error *e)
{
    struct befriending *b = arg;
    struct arena *arena = arena_create();
    struct model m = {.store = s, .self = b->h->node->self, .arena = arena, .now_ms = clock_wall_ms()};
    struct contact_identity identity = {.email = span_of(b->email), .instance_name = SPAN("instance")};
    random_bytes(&identity.person_public, sizeof identity.person_public);
    random_bytes(&identity.instance_public, sizeof identity.instance_public);
    random_bytes(&identity.person_sign_public, sizeof identity.person_sign_public);
    random_bytes(&identity.instance_sign_public, sizeof identity.instance_sign_public);
    enum status st = contact_pair(&m, &identity, &b->paired, e);
    if (st == STATUS_OK)
        st = sharing_apply(&m, &b->paired.person, e);
    arena_destroy(arena);
    return st;
}

static void befriend_done(void *arg, enum status status, const struct error *e)
{
    struct befriending *b = arg;
    (void)e;
    must(status == STATUS_OK, "contact_pair");
    b->done = true;
    loop_stop(b->h->node->loop);
}

struct hash harness_befriend(struct harness *h, const char *email)
{
    struct befriending b = {.h = h, .email = email};
    store_submit(h->node->queue, befriend_work, befriend_done, &b);
    while (!b.done)
        loop_run(h->node->loop);
    return b.paired.person;
}
