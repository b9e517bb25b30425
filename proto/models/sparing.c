// A rule is a line of one text, ID KIND VALUE, so that adding and removing are one change of one version. Rules are
// asked for every root that the archive shows: they are read once, and then only compared by the version they were read
// of.
#include "models/sparing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "models/settings.h"
#include "models/topic.h"

#define SETTINGS SPAN("sparse.room")

enum { RULES_MAX = 256 };

const char *const SPARING_KINDS[] = {"size", "type", "topic", "age", NULL};

// ---- The text -------------------------------------------------------------------------------------------------------

static bool take_word(struct span *rest, char end, struct span *word)
{
    const char *at = rest->len != 0 ? memchr(rest->ptr, end, rest->len) : NULL;
    if (at == NULL)
        return false;
    *word = (struct span){rest->ptr, (size_t)(at - rest->ptr)};
    *rest = span_from(*rest, word->len + 1);
    return true;
}

static bool read_number(struct span text, int64_t *out)
{
    char digits[24] = {0};
    char *end;
    if (text.len == 0 || text.len >= sizeof digits)
        return false;
    memcpy(digits, text.ptr, text.len);
    errno = 0;
    *out = strtoll(digits, &end, 10);
    return errno == 0 && *end == '\0' && *out >= 0;
}

static bool has_number(enum sparing_kind kind)
{
    return kind == SPARING_SIZE || kind == SPARING_AGE;
}

// One that is none, or of a newer program, is passed over.
static bool read_rule(struct span line, struct sparing_rule *out)
{
    struct span id, kind;
    int64_t number;
    *out = (struct sparing_rule){0};
    if (!take_word(&line, ' ', &id) || !take_word(&line, ' ', &kind) || !read_number(id, &number) || line.len == 0)
        return false;
    out->id = (uint64_t)number;
    out->text = line;
    for (size_t i = 0; SPARING_KINDS[i] != NULL; i++) {
        out->kind = (enum sparing_kind)i;
        if (span_eq_text(kind, SPARING_KINDS[i]))
            return !has_number(out->kind) || read_number(line, &out->number);
    }
    return false;
}

static void write_rule(const struct sparing_rule *r, struct buf *out)
{
    buf_printf(out, "%llu %s ", (unsigned long long)r->id, SPARING_KINDS[r->kind]);
    if (has_number(r->kind))
        buf_printf(out, "%lld\n", (long long)r->number);
    else
        buf_printf(out, SPAN_FMT "\n", SPAN_ARG(r->text));
}

// ---- Reading and changing -------------------------------------------------------------------------------------------

static enum status get(struct model *m, const char *key, struct span *text, struct error *e)
{
    enum status st = settings_get(m, SETTINGS, span_of(key), text, e);
    if (st == STATUS_NOT_FOUND) {
        *text = SPAN("");
        return STATUS_OK;
    }
    return st;
}

enum status sparing_load(struct model *m, struct sparing *out, struct error *e)
{
    struct span text, line;
    int64_t quota;
    *out = (struct sparing){.rules = arena_alloc(m->arena, RULES_MAX * sizeof *out->rules)};
    enum status st = get(m, "quota", &text, e);
    if (st == STATUS_OK && read_number(text, &quota)) {
        out->has_quota = true;
        out->quota = (uint64_t)quota;
    }
    if (st == STATUS_OK)
        st = get(m, "rules", &text, e);
    while (st == STATUS_OK && out->count < RULES_MAX && take_word(&text, '\n', &line))
        out->count += read_rule(line, &out->rules[out->count]);
    return st;
}

static enum status save(struct model *m, const struct sparing *s, struct error *e)
{
    struct buf text = {0};
    for (size_t i = 0; i < s->count; i++)
        write_rule(&s->rules[i], &text);
    enum status st = settings_set(m, SETTINGS, SPAN("rules"), buf_span(&text), e);
    buf_free(&text);
    return st;
}

enum status sparing_set_quota(struct model *m, uint64_t bytes, struct error *e)
{
    struct span text = arena_printf(m->arena, "%llu", (unsigned long long)bytes);
    return settings_set(m, SETTINGS, SPAN("quota"), text, e);
}

enum status sparing_add(struct model *m, const struct sparing_rule *rule, uint64_t *id, struct error *e)
{
    struct sparing s;
    enum status st = sparing_load(m, &s, e);
    if (st != STATUS_OK)
        return st;
    if (s.count == RULES_MAX)
        return error_set(e, STATUS_FULL, "TOO-BIG", "there are %d rules already", RULES_MAX);
    *id = 1;
    for (size_t i = 0; i < s.count; i++)
        *id = s.rules[i].id >= *id ? s.rules[i].id + 1 : *id;
    s.rules[s.count] = *rule;
    s.rules[s.count++].id = *id;
    return save(m, &s, e);
}

enum status sparing_remove(struct model *m, uint64_t id, struct error *e)
{
    struct sparing s;
    size_t kept = 0;
    enum status st = sparing_load(m, &s, e);
    for (size_t i = 0; st == STATUS_OK && i < s.count; i++)
        if (s.rules[i].id != id)
            s.rules[kept++] = s.rules[i];
    if (st == STATUS_OK && kept == s.count)
        return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there is no rule %llu", (unsigned long long)id);
    s.count = kept;
    return st == STATUS_OK ? save(m, &s, e) : st;
}

int64_t sparing_least(const struct sparing *s, enum sparing_kind kind, int64_t otherwise)
{
    int64_t least = -1;
    for (size_t i = 0; i < s->count; i++)
        if (s->rules[i].kind == kind && (least < 0 || s->rules[i].number < least))
            least = s->rules[i].number;
    return least >= 0 ? least : otherwise;
}

// ---- What stays away ------------------------------------------------------------------------------------------------

struct sparing_cache {
    struct hash id_hash; // of the settings
    struct hash head;    // they were read of; zero: of none
    struct arena *arena;
    struct sparing sparing;
};

struct sparing_cache *sparing_cache_create(void)
{
    struct sparing_cache *c = mem_alloc(sizeof *c);
    c->arena = arena_create();
    return c;
}

void sparing_cache_destroy(struct sparing_cache *c)
{
    if (c == NULL)
        return;
    arena_destroy(c->arena);
    free(c);
}

static void refresh(struct sparing_cache *c, struct model *m)
{
    struct hash head = {{0}};
    if (hash_is_zero(&c->id_hash) && settings_id(m, SETTINGS, &c->id_hash, NULL) != STATUS_OK)
        return;
    (void)store_head(m->store, &c->id_hash, &head, NULL);
    if (hash_eq(&head, &c->head))
        return;
    arena_destroy(c->arena);
    c->arena = arena_create();
    struct model reading = *m;
    reading.arena = c->arena;
    if (sparing_load(&reading, &c->sparing, NULL) == STATUS_OK)
        c->head = head;
    else
        c->sparing = (struct sparing){0};
}

static bool has(const struct sparing *s, enum sparing_kind kind, struct span text)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->rules[i].kind == kind && (text.len == 0 || span_eq(s->rules[i].text, text)))
            return true;
    return false;
}

// A channel that is not known here yet may be of any conversation, and one that no topic names is of none.
static bool is_other_topic(const struct sparing *s, struct model *m, const struct hash *channel)
{
    struct object id;
    struct span name;
    struct topics topics;
    if (store_get_object(m->store, channel, m->arena, &id, NULL) != STATUS_OK ||
        !value_get_string(id.value, "id", &name))
        return true;
    return !has(s, SPARING_TOPIC, name) && topic_with_id(m, name, &topics, NULL) == STATUS_OK;
}

bool sparing_refuses(struct sparing_cache *c, struct model *m, struct span type, const struct hash *id_hash)
{
    refresh(c, m);
    if (has(&c->sparing, SPARING_TYPE, type) && type.len != 0)
        return true;
    return span_eq(type, SPAN("ChannelInfo")) && has(&c->sparing, SPARING_TOPIC, SPAN("")) &&
           is_other_topic(&c->sparing, m, id_hash);
}
