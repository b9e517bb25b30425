// A message says in its text which one it is and of which run: so it is recognised wherever it is read, and however
// often.
#include "supervisor/simulate/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/simulate/mail.h"

enum { ASK_MS = 30000, AGAIN_MS = 200, MARK = 64 };

static const char *const node_names[] = {NULL, "archive", "sparse"};

static bool is_worth_repeating(const struct error *e)
{
    static const char *const codes[] = {"CLOSED", "TIMEOUT",         "NODE-DOWN", "NOT-RUNNING",
                                        "BUSY",   "NOT-PROVISIONED", "DISK-FULL"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(codes[i], e->code) == 0)
            return true;
    return false;
}

static void on_said(void *arg, const json_t *result, const struct error *e)
{
    struct said *said = arg;
    struct world *w = said->world;
    const char *id = json_string_value(json_object_get(result, "id"));
    if (id != NULL) {
        mail_stored(w, (size_t)(said - w->said), id);
    } else if (is_worth_repeating(e)) {
        said->state = SAID_AGAIN;
        said->again_at = world_now(w) + AGAIN_MS;
    } else {
        said->state = SAID_REFUSED;
        world_fail(w, e, "%s could not say something", w->users[said->plan->from].name);
    }
}

static void add_text(const struct said *said, json_t *params)
{
    struct buf text = {0};
    const struct world *w = said->world;
    buf_printf(&text, "%zu of %llu", (size_t)(said - w->said), (unsigned long long)w->seed);
    while (text.len < said->plan->bytes)
        buf_add_char(&text, text.len % 8 == 0 ? ' ' : (char)('a' + (text.len * 7 + (size_t)said->plan->at_ms) % 26));
    json_object_set_new(params, "text", json_string(buf_cstr(&text)));
    buf_free(&text);
}

size_t talk_recognise(const struct world *w, const char *text)
{
    size_t index = SIZE_MAX;
    unsigned long long seed = 0;
    if (text == NULL || sscanf(text, "%zu of %llu", &index, &seed) != 2 || seed != w->seed ||
        index >= w->plan->message_count)
        return SIZE_MAX;
    return index;
}

static void say(struct said *said)
{
    struct world *w = said->world;
    const struct plan_message *m = said->plan;
    const struct plan_talk *t = &w->plan->talks[m->talk];
    const struct user *u = &w->users[m->from];
    const struct user *other = &w->users[t->one == m->from ? t->other : t->one];
    char op[MARK];
    snprintf(op, sizeof op, "say-%llu-%zu", (unsigned long long)w->seed, (size_t)(said - w->said));
    json_t *params = json_pack("{s:s}", "opId", op);
    add_text(said, params);
    if (t->kind == TARGET_GROUP)
        json_object_set_new(params, "topic", json_string(w->circles[t->group].topic));
    else if (t->kind == TARGET_OWN)
        json_object_set_new(params, "to", json_string(m->node == NODE_ARCHIVE ? u->sparse_person : u->archive_person));
    else
        json_object_set_new(params, "to", json_string(other->archive_person));
    if (node_names[m->node] != NULL)
        json_object_set_new(params, "node", json_string(node_names[m->node]));
    if (said->state == SAID_PLANNED)
        said->first_at = world_now(w);
    said->state = SAID_UNDER_WAY;
    rpc_call(u->rpc, t->kind == TARGET_GROUP ? "topic.send" : "chat.send", params, ASK_MS, on_said, said);
}

static bool is_due(const struct said *said, uint64_t now)
{
    return said->state == SAID_AGAIN && said->again_at <= now;
}

bool talk_tick(struct world *w)
{
    uint64_t now = world_now(w);
    bool all = true;
    for (size_t i = 0; i < w->next_said; i++) {
        if (is_due(&w->said[i], now))
            say(&w->said[i]);
        all = all && w->said[i].state == SAID_DONE;
    }
    while (w->next_said < w->plan->message_count &&
           w->talk_began + (uint64_t)w->plan->messages[w->next_said].at_ms <= now) {
        say(&w->said[w->next_said++]);
        all = false;
    }
    return all && w->next_said == w->plan->message_count;
}

size_t talk_missing(const struct world *w)
{
    size_t missing = 0;
    for (size_t i = 0; i < w->plan->message_count; i++)
        missing += w->said[i].state == SAID_DONE ? w->said[i].missing : mail_recipients(w, &w->plan->messages[i]);
    return missing;
}

void talk_progress(const struct world *w, size_t *said, size_t *delivered)
{
    *said = *delivered = 0;
    for (size_t i = 0; i < w->next_said; i++) {
        bool done = w->said[i].state == SAID_DONE;
        *said += done;
        *delivered += done && w->said[i].missing == 0;
    }
}

void talk_create(struct world *w)
{
    w->said = mem_array(w->plan->message_count + 1, sizeof *w->said);
    for (size_t i = 0; i < w->plan->message_count; i++)
        w->said[i] = (struct said){.world = w, .plan = &w->plan->messages[i]};
}

void talk_destroy(struct world *w)
{
    for (size_t i = 0; w->said != NULL && i < w->plan->message_count; i++)
        free(w->said[i].id);
    free(w->said);
}
