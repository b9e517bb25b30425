// Any object as something a contact shares: what the policy lets in is stored, made current, announced to the model
// layer's hooks and read back. Private things must stay as they are.
#include <stdlib.h>

#include "by_topic.h"
#include "fuzz.h"
#include "model_node.h"
#include "models/access.h"
#include "models/channel.h"
#include "models/chat.h"
#include "models/contact.h"
#include "models/leute.h"
#include "models/policy.h"
#include "models/profile.h"

static struct model_node me;
static struct model_node peer;
static struct hash diary; // a channel of mine that nobody may see
static struct hash own_profile;

static void end(void)
{
    model_node_close(&me);
    model_node_close(&peer);
}

static void begin(void)
{
    struct error e = {0};
    crypto_init();
    atexit(end);
    model_node_open_plain(&me, "me@test", "mine", NULL);
    model_node_open_plain(&peer, "peer@test", "theirs", NULL);
    model_node_pair(&me, &peer);
    struct model *m = model_node_begin(&me);
    model_node_check(channel_create(m, SPAN("diary"), &me.self->person, &diary, &e), &e, "channel_create");
    model_node_check(profile_own(m, &own_profile, &e), &e, "profile_own");
    model_node_end(&me);
}

static void take_version(const struct object *o)
{
    struct version_result ignored;
    if (o->recipe->versioned && o->form == MICRODATA_OBJECT)
        version_merge_foreign(store_versions(me.store), &o->hash, 1700000000000, &ignored, NULL);
}

static void read_everything(struct model *m)
{
    struct contacts contacts;
    struct topics topics;
    contact_list(m, &contacts, NULL);
    if (topic_list(m, &topics, NULL) != STATUS_OK)
        return;
    for (size_t i = 0; i < topics.count; i++) {
        struct chat_messages page;
        chat_page(m, &topics.items[i], 10, NULL, &page, NULL);
    }
}

static void take(struct span text)
{
    struct span type;
    enum microdata_form form;
    struct object o;
    struct error e = {0};
    struct hash before;
    struct hash after;
    struct model *m = model_node_begin(&me);
    model_node_check(store_head(me.store, &own_profile, &before, &e), &e, "store_head");
    if (microdata_sniff(text, &type, &form) &&
        object_read(me.recipes, m->arena, text, form, NULL, &o, NULL) == STATUS_OK &&
        policy_may_import(m, &peer.self->person, &o, &e) == STATUS_OK &&
        store_put(me.store, &o, NULL, &e) == STATUS_OK) {
        take_version(&o);
        model_node_check(store_announce(me.store, &e), &e, "store_announce");
        read_everything(m);
    }
    FUZZ_CHECK(!access_has(m, (struct access_target){ACCESS_ID, diary}, &peer.self->person));
    FUZZ_CHECK(store_head(me.store, &own_profile, &after, &e) == STATUS_OK && hash_eq(&before, &after));
    model_node_drop(&me);
    arena_reset(m->arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (me.store == NULL)
        begin();
    take((struct span){(const char *)data, size});
    return 0;
}
