// Only one identity that fits is taken; if several know the person, the main one speaks, as if nothing had been found,
// so a guess is never sent. The main one also comes first where it fits: further identities are for what it has no part
// in.
#include "node/speaker.h"

#include <string.h>

#include "ipc/methods.h"
#include "models/contact.h"
#include "models/names.h"
#include "models/selves.h"
#include "models/topic.h"
#include "models/way.h"
#include "node/author.h"
#include "node/face.h"
#include "node/json.h"
#include "node/methods.h"
#include "node/params.h"

static const struct ipc_method *method_of(const struct node_job *job)
{
    return ipc_method_find(ipc_request_method(job->request));
}

static bool takes_as(const struct ipc_method *m)
{
    for (size_t i = 0; i < IPC_PARAMS_MAX && m->params[i].name != NULL; i++)
        if (m->params[i].number == P_as)
            return true;
    return false;
}

// ---- By what it is about --------------------------------------------------------------------------------------------

struct choice {
    const struct identity *only; // the only one that fits
    size_t fitting;
};

static void fits(struct choice *c, const struct identity *identity)
{
    c->only = identity;
    c->fitting++;
}

static bool is_contact_of(const struct model *m, const struct identity *identity, struct span text)
{
    struct hash person;
    struct model as_it = *m;
    as_it.self = identity;
    return names_find(&as_it, text, &person, NULL) == STATUS_OK &&
           (contact_exists(&as_it, &person) || way_is_self(&as_it, &person));
}

static struct choice by_person(const struct model *m, const struct selves *s, struct span text)
{
    struct choice c = {0};
    if (is_contact_of(m, m->self, text))
        return c;
    for (size_t i = 0; i < s->count; i++)
        if (is_contact_of(m, s->items[i], text))
            fits(&c, s->items[i]);
    return c;
}

bool speaker_takes_part(struct model *m, const struct topic *topic, const struct hash *person)
{
    struct hash one;
    struct hash two;
    struct hash owner;
    if (topic_is_one_to_one(topic->id, &one, &two))
        return hash_eq(&one, person) || hash_eq(&two, person);
    if (topic->members != NULL)
        return members_find(topic->members, person) != NULL;
    return channel_owner(m, &topic->channel, &owner) == STATUS_OK && hash_eq(&owner, person);
}

const struct identity *speaker_of_topic(struct model *m, const struct selves *s, const struct topic *topic)
{
    struct hash selves[WAY_SELVES];
    size_t count = way_selves(m, selves);
    for (size_t i = 0; i < count; i++)
        if (speaker_takes_part(m, topic, &selves[i]))
            return NULL;
    for (size_t i = 0; i < s->count; i++)
        if (speaker_takes_part(m, topic, &s->items[i]->person))
            return s->items[i];
    return NULL;
}

static struct choice by_topic(struct model *m, const struct selves *s, struct span text)
{
    struct topic topic;
    struct choice c = {0};
    if (topic_named(m, text, &topic, NULL) != STATUS_OK)
        return by_person(m, s, text);
    const struct identity *found = speaker_of_topic(m, s, &topic);
    if (found != NULL)
        fits(&c, found);
    return c;
}

static struct choice choose(struct node_job *job, struct model *m, const struct selves *s)
{
    static const enum ipc_name persons[] = {P_to, P_with, P_person};
    for (size_t i = 0; i < sizeof persons / sizeof *persons; i++)
        if (node_job_text(job, persons[i]).len != 0)
            return by_person(m, s, node_job_text(job, persons[i]));
    if (node_job_text(job, P_topic).len != 0)
        return by_topic(m, s, node_job_text(job, P_topic));
    return (struct choice){0};
}

static enum status speak_for(struct node_job *job, struct model *m, struct error *e)
{
    struct selves s;
    enum status st = node_job_identities(job, m, &s, e);
    struct choice c = st == STATUS_OK && s.count != 0 ? choose(job, m, &s) : (struct choice){0};
    for (size_t i = 0; c.fitting == 1 && i < s.count; i++)
        if (s.items[i] == c.only) {
            job->speaker = s.items[i];
            s.items[i] = NULL;
            ipc_request_set(job->request, P_as, node_json_hash(&job->speaker->person));
        }
    selves_free(&s);
    return st;
}

// ---- By the archive -------------------------------------------------------------------------------------------------

static enum status leave(struct node_job *job, bool *left, struct error *e)
{
    static const char *const ours[] = {"opId", IPC_FACE, IPC_ALONE};
    json_t *params = json_copy(ipc_request_params(job->request));
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        json_object_del(params, ours[i]);
    *left = true;
    return face_defer(job, &job->model, ipc_request_method(job->request), params, e);
}

static bool is_written_here(const struct ipc_method *m)
{
    static const char *const names[] = {"chat.send", "topic.send", "topic.read-up-to"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(m->name, names[i]) == 0)
            return true;
    return m->effect != IPC_MUTATES;
}

enum status speaker_leave(struct node_job *job, bool *left, struct error *e)
{
    *left = false;
    if (job->speaker == NULL || !job->speaker->elsewhere || is_written_here(method_of(job)))
        return STATUS_OK;
    return leave(job, left, e);
}

// With "as" a method sees and does what that identity does, which knows its own people by name; channels have an author
// of their own. One that is not known here yet, the archive may know.
enum status speaker_take(struct node_job *job, bool *left, struct error *e)
{
    const struct ipc_method *m = method_of(job);
    bool is_author = strncmp(m->name, "channel.", strlen("channel.")) == 0;
    *left = false;
    enum status st = node_job_author(job, &job->model, &job->speaker, e);
    if (st == STATUS_NOT_FOUND && face_is(job) && !face_is_alone(job) && m->effect == IPC_MUTATES && !is_author) {
        error_clear(e);
        return leave(job, left, e);
    }
    if (st == STATUS_OK && face_is(job) && !is_author && takes_as(m) && ipc_request_text(job->request, P_as) == NULL)
        st = speak_for(job, &job->model, e);
    if (st == STATUS_OK && job->speaker != NULL && !is_author)
        job->model.self = job->speaker;
    return st;
}
