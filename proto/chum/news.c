// A change of the store may concern any peer. Whether it concerns this one is a question to the store, and one at a
// time: however many changes come meanwhile, they are one more question and one more telling.
#include "chum/news.h"

#include <stdlib.h>
#include <string.h>

#include "base/life.h"
#include "chum/chum.h"
#include "chum/pack.h"

struct chum_news {
    struct chum_news_options o;
    struct life life;
    struct hash person;
    uint64_t found; // by the question under way: the version of what the peer may see
    uint64_t told;  // of when it was told last
    bool can_tell;
    bool listens; // a contact that said so
    bool feeds;   // likewise
    bool sums;    // likewise
    bool asking;  // the store
    bool again;   // something changed meanwhile
    bool telling; // the peer has not answered yet, or not asked
    bool quiet;   // it need not answer
    bool asks;    // its question is the answer to the present telling
    bool more;    // there is more to tell
};

static void destroy(void *self)
{
    free(self);
}

struct chum_news *chum_news_create(const struct chum_news_options *options)
{
    struct chum_news *n = mem_alloc(sizeof *n);
    *n = (struct chum_news){.o = *options, .person = options->fetch->sender};
    life_begin(&n->life, destroy, n);
    return n;
}

void chum_news_end(struct chum_news *n)
{
    n->can_tell = false;
    life_over(&n->life);
}

// ---- Telling -------------------------------------------------------------------------------------------------------

static void tell(struct chum_news *n);

static void told(void *ctx, const struct rpc_reply *reply)
{
    struct chum_news *n = ctx;
    (void)reply;
    n->telling = false;
    if (n->more)
        tell(n);
}

static void tell(struct chum_news *n)
{
    n->more = n->telling || !n->can_tell;
    if (n->more || n->o.fetch->closing)
        return;
    n->telling = true;
    n->asks = n->quiet;
    if (n->quiet)
        rpc_tell(n->o.fetch->rpc, CHUM_NEW_ACCESSIBLE_ROOT_EVENT, SPAN("[\"" CHUM_QUIET "\"]"));
    else
        rpc_call(n->o.fetch->rpc, CHUM_NEW_ACCESSIBLE_ROOT_EVENT, SPAN("[]"), conn_now(n->o.fetch->conn), CHUM_CALL_MS,
                 told, n);
    conn_reschedule(n->o.fetch->conn);
}

// What came up to now it is told as the answer to that.
void chum_news_asked(struct chum_news *n)
{
    if (n->telling && n->asks)
        n->telling = n->more = false;
}

void chum_news_begin(struct chum_news *n)
{
    n->can_tell = true;
    if (n->more)
        tell(n);
}

// ---- Whether it concerns the peer ----------------------------------------------------------------------------------

static enum status look(struct store *s, void *arg, struct error *e)
{
    struct chum_news *n = arg;
    return store_roots_version(s, &n->person, &n->found, e);
}

static void ask_store(struct chum_news *n);

static void looked(void *arg, enum status status, const struct error *e)
{
    struct chum_news *n = arg;
    (void)e;
    if (!life_let_go(&n->life))
        return;
    n->asking = false;
    bool is_new = status != STATUS_OK || (n->found != n->told && n->found != n->o.answered(n->o.ctx));
    n->told = n->found;
    if (is_new)
        tell(n);
    if (n->again)
        ask_store(n);
}

static void ask_store(struct chum_news *n)
{
    n->again = n->asking;
    if (n->asking)
        return;
    n->asking = true;
    life_hold(&n->life);
    store_submit_read(n->o.fetch->queue, look, looked, n);
}

void chum_news_changed(struct chum_news *n)
{
    if (n->o.own)
        tell(n);
    else if (n->listens)
        ask_store(n);
}

// ---- Greeting ------------------------------------------------------------------------------------------------------

struct span chum_news_greeting(bool feeds)
{
    return feeds ? SPAN("[{\"news\":2,\"feeds\":1,\"zstd\":1,\"sums\":1}]") : SPAN("[{\"news\":2}]");
}

static bool says(const json_t *arguments, const char *what, json_int_t least)
{
    const json_t *version = json_object_get(json_array_get(arguments, 0), what);
    return json_is_integer(version) && json_integer_value(version) >= least;
}

bool chum_news_wants_no_answer(const json_t *arguments)
{
    const char *word = json_string_value(json_array_get(arguments, 0));
    return word != NULL && strcmp(word, CHUM_QUIET) == 0;
}

bool chum_news_unpacks(const json_t *arguments)
{
    return says(arguments, "zstd", CHUM_PACK_WORDS);
}

void chum_news_greeted(struct chum_news *n, const json_t *arguments)
{
    n->listens = says(arguments, "news", 1);
    n->feeds = says(arguments, "feeds", 1);
    n->sums = n->feeds && says(arguments, "sums", 1);
    n->quiet = says(arguments, "news", 2);
}

bool chum_news_have_feed(const struct chum_news *n)
{
    return n->feeds;
}

bool chum_news_have_sums(const struct chum_news *n)
{
    return n->sums;
}

bool chum_news_are_told(const struct chum_news *n)
{
    return n->o.own || n->listens;
}
