// Any text as each of the JSON messages of handshake, group, identity and pairing.
#include "conn/exchange.h"
#include "conn/handshake.h"
#include "conn/pairing.h"
#include "fuzz.h"

static const struct recipes *core_recipes(void)
{
    static struct recipes *recipes;
    if (recipes == NULL)
        recipes = recipes_create(false);
    return recipes;
}

static void read_request(struct span text)
{
    struct handshake_request request, again;
    if (handshake_read_request(true, text, &request, NULL) != STATUS_OK)
        return;
    struct buf written = {0};
    handshake_write_request(&request, &written);
    FUZZ_CHECK(handshake_read_request(true, buf_span(&written), &again, NULL) == STATUS_OK);
    FUZZ_CHECK(public_key_eq(&request.source, &again.source) && public_key_eq(&request.target, &again.target));
    buf_free(&written);
}

static void read_identity(struct span text)
{
    struct pairing_identity identity = {0};
    if (pairing_identity_read(true, text, &identity, NULL) == STATUS_OK)
        pairing_identity_free(&identity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size};
    struct conn_peer peer = {0};
    struct error e;
    enum conn_group group;
    bool relayed;
    read_request(text);
    read_identity(text);
    handshake_read_ready(true, text, &relayed, &e);
    exchange_read_group(true, text, "chess", &group, &e);
    exchange_read_sync(true, text, &e);
    exchange_read_person(core_recipes(), true, text, &peer, &e);
    exchange_read_keys(true, text, &peer, &e);
    exchange_read_instance(core_recipes(), true, text, &peer, &e);
    free(peer.email);
    free(peer.instance_name);
    return 0;
}
