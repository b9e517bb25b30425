// The list is written whole each time, and its writes are jobs in order, so the last one wins. What changes before the
// list of an earlier run is here waits (loading), or that would be overwritten. A token that is being used is out of
// the list meanwhile, and comes back if the pairing fails: then two pairings cannot both use it.
#include "node/kept.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "node/job.h"
#include "node/json.h"

static const char setting[] = "pairing.kept";

struct kept {
    struct node *node;
    struct pairing_token items[KEPT_MAX];
    size_t count;
    bool loading; // what was kept before is not among the items yet
    struct saving *waiting;
};

struct kept *kept_create(struct node *n)
{
    struct kept *k = mem_alloc(sizeof *k);
    k->node = n;
    return k;
}

void kept_destroy(struct kept *k)
{
    if (k == NULL)
        return;
    secret_wipe(k, sizeof *k);
    free(k);
}

// ---- Writing -------------------------------------------------------------------------------------------------------

struct saving {
    struct saving *next; // that waits
    char *text;
    kept_done done; // NULL = nobody waits
    void *ctx;
};

static char *print(const struct kept *k)
{
    json_t *list = json_array();
    for (size_t i = 0; i < k->count; i++) {
        const struct pairing_token *t = &k->items[i];
        json_t *item = json_pack("[s, I]", t->text, (json_int_t)t->expires_ms);
        json_array_append_new(item, node_json_hash(&t->guest));
        json_array_append_new(item, node_json_hash(&t->person));
        json_array_append_new(list, item);
    }
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

enum status kept_write(struct store *s, const char *text, struct error *e)
{
    return store_setting_set(s, setting, span_of(text), e);
}

static enum status save_work(struct store *s, void *arg, struct error *e)
{
    const struct saving *job = arg;
    return kept_write(s, job->text, e);
}

static void wipe(char *text)
{
    secret_wipe(text, strlen(text));
    free(text);
}

static void save_done(void *arg, enum status status, const struct error *e)
{
    struct saving *job = arg;
    if (status != STATUS_OK)
        LOG(LOG_WARN, "invitation.notKept", LOG_TEXT("code", e->code), LOG_TEXT("message", e->message));
    if (job->done != NULL)
        job->done(job->ctx, status == STATUS_OK ? NULL : e);
    wipe(job->text);
    free(job);
}

static void submit(struct kept *k, struct saving *job)
{
    job->text = print(k);
    store_submit(node_queue(k->node), save_work, save_done, job);
}

static void save(struct kept *k, kept_done done, void *ctx)
{
    if (node_queue(k->node) == NULL) // a pairing that ends with the node
        return;
    struct saving *job = mem_alloc(sizeof *job);
    *job = (struct saving){.done = done, .ctx = ctx, .next = k->waiting};
    if (k->loading)
        k->waiting = job;
    else
        submit(k, job);
}

static void save_waiting(struct kept *k)
{
    while (k->waiting != NULL) {
        struct saving *job = k->waiting;
        k->waiting = job->next;
        submit(k, job);
    }
}

void kept_add(struct kept *k, const struct pairing_token *token, kept_done done, void *ctx)
{
    if (k->count == KEPT_MAX) {
        struct error e;
        error_set(&e, STATUS_FULL, "TOO-MANY-INVITATIONS", "%d unused invitations are kept already", KEPT_MAX);
        done(ctx, &e);
        return;
    }
    k->items[k->count++] = *token;
    save(k, done, ctx);
}

static size_t find(const struct kept *k, const struct pairing_token *token)
{
    size_t i = 0;
    while (i < k->count && strcmp(k->items[i].text, token->text) != 0)
        i++;
    return i;
}

bool kept_has(const struct kept *k, const struct pairing_token *token)
{
    return find(k, token) != k->count;
}

static bool take_out(struct kept *k, const struct pairing_token *token)
{
    size_t i = find(k, token);
    if (i == k->count)
        return false;
    k->items[i] = k->items[--k->count];
    return true;
}

static void removed(void *ctx, const struct pairing_token *token)
{
    struct kept *k = ctx;
    if (take_out(k, token))
        save(k, NULL, NULL);
}

char *kept_use(struct kept *k, const struct pairing_token *token)
{
    bool found = take_out(k, token); // whatever is saved meanwhile does without it as well
    return found && !k->loading ? print(k) : NULL;
}

void kept_used(struct kept *k, const struct pairing_token *token, char *text, bool gone)
{
    wipe(text);
    if (gone || k->count == KEPT_MAX)
        return;
    k->items[k->count++] = *token;
    save(k, NULL, NULL);
}

struct tokens_hooks kept_hooks(struct kept *k)
{
    return (struct tokens_hooks){.removed = removed, .ctx = k};
}

// ---- Reading -------------------------------------------------------------------------------------------------------

struct loading {
    struct kept *kept;
    struct tokens *into;
    char *text; // NULL = nothing was ever kept
};

static enum status load_work(struct store *s, void *arg, struct error *e)
{
    struct loading *job = arg;
    struct arena *a = arena_create();
    struct span value;
    enum status st = store_setting_get(s, setting, a, &value, e);
    if (st == STATUS_OK)
        job->text = mem_text(value);
    arena_destroy(a);
    return st;
}

static void restore(struct kept *k, struct tokens *into, const json_t *item)
{
    const char *text = json_string_value(json_array_get(item, 0));
    struct pairing_token token = {.person = node_self(k->node)->person,
                                  .expires_ms = json_integer_value(json_array_get(item, 1))};
    const char *guest = json_string_value(json_array_get(item, 2));
    const char *person = json_string_value(json_array_get(item, 3));
    if ((guest != NULL && !hash_parse(span_of(guest), &token.guest)) ||
        (person != NULL && !hash_parse(span_of(person), &token.person)))
        return;
    if (text == NULL || strlen(text) != TOKEN_LENGTH || token.expires_ms <= clock_wall_ms() || k->count == KEPT_MAX)
        return;
    memcpy(token.text, text, TOKEN_LENGTH);
    if (tokens_restore(into, &token))
        k->items[k->count++] = token;
}

static void load_done(void *arg, enum status status, const struct error *e)
{
    struct loading *job = arg;
    size_t i;
    json_t *item;
    (void)e;
    json_t *list = status == STATUS_OK ? json_loads(job->text, 0, NULL) : NULL;
    json_array_foreach(list, i, item)
    {
        restore(job->kept, job->into, item);
    }
    json_decref(list);
    job->kept->loading = false;
    save_waiting(job->kept);
    free(job->text);
    free(job);
}

void kept_load(struct kept *k, struct tokens *into)
{
    struct loading *job = mem_alloc(sizeof *job);
    *job = (struct loading){.kept = k, .into = into};
    k->loading = true;
    store_submit_read(node_queue(k->node), load_work, load_done, job);
}
