// What has to be in a store that is opened, in the order of the table in opening_complete, each step in a savepoint: a
// node that is repaired leaves out those that fail for what it lost, and does them when it is opened the next time.
#include "node/opening.h"

#include <string.h>

#include "base/log.h"
#include "models/apart.h"
#include "models/contact.h"
#include "models/deletion.h"
#include "models/instance.h"
#include "models/keeping.h"
#include "models/leute.h"
#include "models/profile.h"
#include "models/restoring.h"
#include "models/returning.h"
#include "models/selves.h"
#include "models/sharing.h"
#include "models/topic.h"
#include "node/addresses.h"
#include "node/kept.h"

// Of a store that is new: what the user calls itself later must not be undone.
static enum status set_first_name(struct opening *o, struct model *m, struct error *e)
{
    const char *name = ipc_request_text(o->request, P_name);
    return name != NULL && o->created ? profile_set_name(m, span_of(name), e) : STATUS_OK;
}

static enum status open_further(struct opening *o, struct model *main, struct error *e)
{
    struct model m = *main;
    enum status st = instance_identities(&m, o->keychain, &o->further, &o->further_count, e);
    if (st == STATUS_OK && o->further_count != 0)
        st = apart_catch_up(main, e);
    for (size_t i = 0; st == STATUS_OK && i < o->further_count; i++) {
        m.self = o->further[i];
        st = selves_note(main, &o->further[i]->person, e);
        if (st == STATUS_OK)
            st = apart_begin(&m, e);
        if (st == STATUS_OK)
            st = addresses_open(&m, o->door.told, node_config(o->node), e);
    }
    return st;
}

// A copy of an earlier time: an invitation that was out then may have been used since, and the sparse node's copy is a
// moment older than the archive's, which gives it back what it lacks.
static enum status take_up_again(struct opening *o, struct model *m, struct error *e)
{
    if (!o->report.restored)
        return STATUS_OK;
    enum status st = kept_write(m->store, "[]", e);
    if (st == STATUS_OK)
        st = returning_expect(m, o->report.restored_at, e);
    return st == STATUS_OK && store_kind(m->store) == STORE_SPARSE ? restoring_begin(m, e) : st;
}

static enum status begin_leute(struct opening *o, struct model *m, struct error *e)
{
    return leute_init(m, span_of(o->door.told), e);
}

static enum status replace_lost(struct opening *o, struct model *m, struct error *e)
{
    (void)o;
    return contact_replace_lost(m, e);
}

static enum status catch_up(struct opening *o, struct model *m, struct error *e)
{
    (void)o;
    enum status st = channel_catch_up(m, e);
    return st == STATUS_OK ? topic_catch_up(m, e) : st;
}

static enum status delete_again(struct opening *o, struct model *m, struct error *e)
{
    return o->report.rebuilt ? deletion_again(m, e) : STATUS_OK;
}

static enum status open_addresses(struct opening *o, struct model *m, struct error *e)
{
    return addresses_open(m, o->door.told, node_config(o->node), e);
}

static enum status begin_restoring(struct opening *o, struct model *m, struct error *e)
{
    return o->created && o->keys_kept ? restoring_begin(m, e) : STATUS_OK;
}

static enum status keep_rebuilt(struct opening *o, struct model *m, struct error *e)
{
    return o->report.rebuilt ? keeping_all(m, e) : STATUS_OK;
}

typedef enum status (*opening_step)(struct opening *o, struct model *m, struct error *e);

// To be repaired a node opens without what is lost: the next time it does all of it.
static enum status take_step(struct opening *o, opening_step step, struct model *m, struct error *e)
{
    struct error why = {0};
    enum status st = store_savepoint(o->store, e);
    if (st != STATUS_OK)
        return st;
    st = step(o, m, &why);
    bool lost = o->repair && (st == STATUS_CORRUPT || st == STATUS_NOT_FOUND);
    if (st == STATUS_OK)
        return store_release(o->store, e);
    store_undo(o->store);
    o->ailing = o->ailing || lost;
    LOG(LOG_WARN, "node.incomplete", LOG_TEXT("code", why.code), LOG_TEXT("why", why.message));
    return lost ? STATUS_OK : error_set(e, st, why.code, "%s", why.message);
}

enum status opening_complete(struct opening *o, struct model *m, struct error *e)
{
    static const opening_step steps[] = {begin_leute,    replace_lost,    set_first_name, catch_up,    delete_again,
                                         open_addresses, begin_restoring, take_up_again,  keep_rebuilt};
    enum status st = STATUS_OK;
    for (size_t i = 0; st == STATUS_OK && i < sizeof steps / sizeof *steps; i++)
        st = take_step(o, steps[i], m, e);
    if (st != STATUS_OK)
        return st;
    o->restoring = restoring_is(m);
    o->own_peer.pinned =
        sharing_own_node(m, &o->own_peer.person, NULL) == STATUS_OK && sharing_own_key(m, &o->own_peer.instance_key);
    return take_step(o, open_further, m, e);
}
