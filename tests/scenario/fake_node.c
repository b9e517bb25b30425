// A node without a store, a network or a protocol: it answers the supervisor over the channel with canned results, so
// that supervisor and command line can be tested alone. What it remembers lies in files of its folder.
//
//   FAKE_PORT_TAKEN=1       node.provision of the archive is PORT-TAKEN
//   FAKE_FEDERATE_MS=N      CHUM "runs" N ms after provisioning (default 50; -1 = never)
//   FAKE_SLOW_RESEAL=NODE   node.reseal of that node makes the file "reached" and stops the process
//   chat.send "gather N"  is answered when N of them wait;  "refuse"  is NO-WAY, "refuse CODE" that;  "busy"  is BUSY
//             until it comes again with its opId
//   object.put {"$type$":"Burst","count":N}  tells N events;  "Hang" stops the loop;  "Crash" ends the process
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"
#include "ipc/channel.h"
#include "ipc/child.h"

enum { OPS_MAX = 64, GATHERED_MAX = 64, PARENT_CHECK_MS = 1000 };

static struct {
    struct ipc_child child;
    bool is_archive;
    struct ipc_channel *channel;
    bool stopping;
    bool open;
    bool told;
    uint64_t opened_at;
    struct hash_text person;
    struct hash_text instance;
    char url[128];
    struct { // opId → result of chat.send
        char id[IPC_OP_ID_MAX + 1];
        json_t *result;
    } ops[OPS_MAX];
    size_t op_count;
    int messages;
    struct buf blob;
    struct ipc_request *listener; // node.deliveries
    struct {                      // chat.send that waits for others
        struct ipc_request *request;
        json_t *result;
    } gathered[GATHERED_MAX];
    int gathered_count;
    char busy[IPC_OP_ID_MAX + 1]; // the opId of the first "busy"
} fake;

static char *path_of(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", fake.child.dir, name);
    return path;
}

static bool has_file(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

static void put_file(const char *name, const void *bytes, size_t size)
{
    FILE *f = fopen(path_of(name), "we");
    fwrite(bytes, 1, size, f);
    fclose(f);
}

static void refuse(struct ipc_request *r, enum status status, const char *code)
{
    struct error e = {0};
    error_set(&e, status, code, "the fake node says %s", code);
    ipc_request_fail(r, &e);
}

static struct hash_text id_of(const char *text)
{
    struct hash h = sha256(span_of(text));
    return hash_text(&h);
}

// --- node.* ----------------------------------------------------------------------------------------------------------

static bool key_is(const char *name, const char *key)
{
    char stored[HASH_HEX + 1] = "";
    FILE *f = fopen(path_of(name), "re");
    bool good = f != NULL && fread(stored, 1, HASH_HEX, f) == HASH_HEX;
    if (f != NULL)
        fclose(f);
    return good && strcmp(stored, id_of(key).s) == 0;
}

static bool key_fits(const char *key)
{
    return key_is("key-hash", key) || key_is("next-key-hash", key);
}

static void provision(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    bool exists = has_file("key-hash");
    const char *key = ipc_request_text(r, P_key);
    bool imported = ipc_request_text(r, P_importName) != NULL;
    if (imported && strcmp(ipc_request_text(r, P_importSecret), "correct horse") != 0) {
        put_file("half", "", 0); // something to be cleaned up
        refuse(r, STATUS_REFUSED, "BAD-SECRET");
    } else if (imported && getenv("FAKE_SLOW_IMPORT") != NULL) {
        put_file("half", "", 0);
        raise(SIGSTOP);
    } else if (fake.is_archive && getenv("FAKE_PORT_TAKEN") != NULL) {
        refuse(r, STATUS_CONFLICT, "PORT-TAKEN");
    } else if (!exists && !ipc_request_bool(r, P_create, false)) {
        refuse(r, STATUS_NOT_FOUND, "STORE-MISSING");
    } else if (exists && !key_fits(key)) {
        refuse(r, STATUS_REFUSED, "BAD-SECRET");
    } else {
        const char *email = imported ? "node-ann@example.org" : ipc_request_text(r, P_email);
        const char *instance_name = imported ? "ann's instance" : ipc_request_text(r, P_instanceName);
        put_file("key-hash", id_of(key).s, HASH_HEX);
        fake.person = id_of(email);
        fake.instance = id_of(instance_name);
        fake.open = true;
        fake.opened_at = clock_monotonic_ms();
        snprintf(fake.url, sizeof fake.url, "ws://%s:%lld", ipc_request_text(r, P_host),
                 (long long)ipc_request_int(r, P_port, 0));
        json_t *url = fake.is_archive ? json_string(fake.url) : json_null();
        ipc_request_reply(r, json_pack("{s:s, s:s, s:s, s:o, s:b, s:s, s:s, s:o*}", "personId", fake.person.s,
                                       "instanceKey", fake.person.s, "instanceId", fake.instance.s, "url", url,
                                       "created", !exists, "email", email, "instanceName", instance_name, "imported",
                                       imported ? json_pack("{s:i}", "objects", 17) : NULL));
    }
}

static void reseal(struct ipc_request *r, void *ctx)
{
    const char *slow = getenv("FAKE_SLOW_RESEAL");
    (void)ctx;
    if (!key_fits(ipc_request_text(r, P_key))) {
        refuse(r, STATUS_REFUSED, "BAD-SECRET");
    } else if (slow != NULL && strcmp(slow, fake.is_archive ? "archive" : "sparse") == 0) {
        put_file("reached", "", 0);
        raise(SIGSTOP);
        refuse(r, STATUS_CLOSED, "CLOSED");
    } else {
        put_file("next-key-hash", id_of(ipc_request_text(r, P_newKey)).s, HASH_HEX);
        ipc_request_reply(r, json_pack("{s:s}", "copy", "prepared"));
    }
}

static void settle(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    put_file("key-hash", id_of(ipc_request_text(r, P_key)).s, HASH_HEX);
    ipc_request_reply(r, json_pack("{s:s}", "copy", "settled"));
}

static void keys(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    ipc_request_reply(r, json_pack("{s:s}", "copy", "opened"));
}

static void peer(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    fake.told = true;
    ipc_request_reply(r, NULL);
}

static bool federates(void)
{
    const char *text = getenv("FAKE_FEDERATE_MS");
    int64_t after = text != NULL ? atoll(text) : 50;
    return fake.told && has_file("paired") && after >= 0 && clock_monotonic_ms() - fake.opened_at >= (uint64_t)after;
}

static void status(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    json_t *listeners = json_array();
    if (fake.is_archive && fake.open)
        json_array_append_new(listeners,
                              json_pack("{s:s, s:s, s:s}", "type", "websocket", "url", fake.url, "state", "listening"));
    bool federated = federates();
    ipc_request_reply(r, json_pack("{s:s, s:o, s:i, s:i, s:b, s:{s:b, s:b, s:b}}", "state",
                                   fake.open ? "running" : "unprovisioned", "listeners", listeners, "objects", 42,
                                   "bytes", 4242, "idle", federated, "peer", "paired", has_file("paired"), "importing",
                                   federated, "exporting", federated));
}

static void stop(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    ipc_request_reply(r, NULL);
    fake.stopping = true;
}

// --- what clients ask ------------------------------------------------------------------------------------------------

// Of nobody here: an own invitation is refused before it comes to the node.
#define OTHER_KEY "abababababababababababababababababababababababababababababababab"

static void invite(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    put_file("paired", "", 0);
    ipc_request_reply(r, json_pack("{s:s, s:s, s:s}", "token", "fake_token", "publicKey", OTHER_KEY, "url",
                                   fake.url[0] != '\0' ? fake.url : "ws://localhost:1"));
}

// The file "revoked" has a byte for each.
static void revoke_invitation(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    FILE *f = fopen(path_of("revoked"), "ae");
    fputc('x', f);
    fclose(f);
    ipc_request_reply(r, NULL);
}

static void accept_invitation(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    json_t *invitation = ipc_request_json(r, P_invitation);
    const char *token = json_string_value(json_object_get(invitation, "token"));
    if (token == NULL || strcmp(token, "fake_token") != 0) {
        refuse(r, STATUS_REFUSED, "INVITATION-UNKNOWN");
        return;
    }
    put_file("paired", "", 0);
    struct hash_text other = id_of("somebody else");
    ipc_request_reply(r, json_pack("{s:s, s:s}", "personId", other.s, "instanceId", other.s));
}

static void forget(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    unlink(path_of("paired"));
    put_file("forgot", ipc_request_text(r, P_person), HASH_HEX);
    ipc_request_reply(r, NULL);
}

static void gather(struct ipc_request *r, json_t *result, int wanted)
{
    fake.gathered[fake.gathered_count].request = r;
    fake.gathered[fake.gathered_count++].result = result;
    if (fake.gathered_count < wanted && fake.gathered_count < GATHERED_MAX)
        return;
    for (int i = 0; i < fake.gathered_count; i++)
        ipc_request_reply(fake.gathered[i].request, fake.gathered[i].result);
    fake.gathered_count = 0;
}

static bool refuses(struct ipc_request *r, const char *said, const char *op)
{
    char code[40] = "NO-WAY";
    bool is_busy = strcmp(said, "busy") == 0 && strcmp(fake.busy, op) != 0;
    if (is_busy && fake.busy[0] == '\0') {
        snprintf(fake.busy, sizeof fake.busy, "%s", op);
        refuse(r, STATUS_CONFLICT, "BUSY");
    } else if (is_busy || strcmp(said, "refuse") == 0 || sscanf(said, "refuse %39s", code) == 1) {
        refuse(r, STATUS_REFUSED, code);
    } else {
        return false;
    }
    return true;
}

static void chat_send(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    int wanted;
    const char *op = ipc_request_op_id(r);
    for (size_t i = 0; op != NULL && i < fake.op_count; i++) {
        if (strcmp(fake.ops[i].id, op) == 0) {
            ipc_request_reply(r, json_incref(fake.ops[i].result));
            return;
        }
    }
    const char *said = ipc_request_text(r, P_text);
    if (refuses(r, said, op != NULL ? op : ""))
        return;
    put_file("said", said, strlen(said));
    char text[32];
    snprintf(text, sizeof text, "message %d", ++fake.messages);
    json_t *result = json_pack("{s:s, s:s}", "id", id_of(text).s, "channel", id_of("channel").s);
    if (op != NULL && fake.op_count < OPS_MAX) {
        snprintf(fake.ops[fake.op_count].id, IPC_OP_ID_MAX + 1, "%s", op);
        fake.ops[fake.op_count++].result = json_incref(result);
    }
    ipc_channel_tell(fake.channel, "chat.sent", json_copy(result));
    if (sscanf(said, "gather %d", &wanted) == 1)
        gather(r, result, wanted);
    else
        ipc_request_reply(r, result);
}

static json_t *message(int number)
{
    char text[64];
    snprintf(text, sizeof text, "message %d", number);
    struct hash_text id = id_of(text);
    snprintf(text, sizeof text, "hello %d \x1b[31m", number);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:[]}", "id", id.s, "text", text, "sender", fake.person.s,
                     "author", fake.person.s, "verification", "verified", "timestamp",
                     (json_int_t)1700000000000 + number, "attachments");
}

static void chat_list(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    json_t *items = json_array();
    for (int i = 1; i <= fake.messages; i++)
        json_array_append_new(items, message(i));
    ipc_request_reply(r, json_pack("{s:o, s:n}", "items", items, "next"));
}

static void chat_since(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    const char *cursor = ipc_request_text(r, P_cursor);
    json_t *items = json_array();
    char next[16];
    for (int i = cursor != NULL ? atoi(cursor) + 1 : fake.messages + 1; i <= fake.messages; i++)
        json_array_append_new(items, message(i));
    snprintf(next, sizeof next, "%d", fake.messages);
    ipc_request_reply(r, json_pack("{s:o, s:s}", "items", items, "next", next));
}

static void object_put(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    json_t *object = ipc_request_json(r, P_object);
    const char *type = json_string_value(json_object_get(object, "$type$"));
    if (type != NULL && strcmp(type, "Hang") == 0)
        raise(SIGSTOP);
    if (type != NULL && strcmp(type, "Crash") == 0)
        _exit(7);
    json_int_t count =
        type != NULL && strcmp(type, "Burst") == 0 ? json_integer_value(json_object_get(object, "count")) : 0;
    for (json_int_t i = 1; i <= count; i++)
        ipc_channel_tell(fake.channel, "object.stored", json_pack("{s:I}", "i", i));
    ipc_request_reply(r, json_pack("{s:s, s:n, s:s}", "hash", id_of("object").s, "idHash", "status", "new"));
}

static void blob_begin(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    buf_clear(&fake.blob);
    ipc_request_reply(r, json_pack("{s:s}", "blob", "b1"));
}

static void blob_chunk(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    if (ipc_request_int(r, P_offset, 0) != (int64_t)fake.blob.len ||
        !base64_decode(span_of(ipc_request_text(r, P_data)), &fake.blob)) {
        refuse(r, STATUS_INVALID, "BAD-INPUT");
        return;
    }
    ipc_request_reply(r, json_pack("{s:I}", "size", (json_int_t)fake.blob.len));
}

static json_t *blob_facts(void)
{
    struct hash h = sha256(buf_span(&fake.blob));
    return json_pack("{s:s, s:I}", "hash", hash_text(&h).s, "size", (json_int_t)fake.blob.len);
}

static void blob_commit(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    ipc_request_reply(r, blob_facts());
}

static void blob_read(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    struct buf text = {0};
    size_t offset = (size_t)ipc_request_int(r, P_offset, 0);
    size_t length = (size_t)ipc_request_int(r, P_length, 512 * 1024);
    if (offset > fake.blob.len)
        offset = fake.blob.len;
    if (length > fake.blob.len - offset)
        length = fake.blob.len - offset;
    if (length > 0)
        base64_encode(fake.blob.data + offset, length, &text);
    ipc_request_reply(
        r, json_pack("{s:s%, s:I}", "data", text.len ? text.data : "", text.len, "size", (json_int_t)fake.blob.len));
    buf_free(&text);
}

static void empty_list(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    ipc_request_reply(r, json_pack("{s:[], s:n}", "items", "next"));
}

static void contacts(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    struct hash_text other = id_of("somebody else");
    ipc_request_reply(r, json_pack("{s:[{s:s, s:s, s:s, s:b, s:[{s:s, s:s}], s:b}], s:n}", "items", "personId", other.s,
                                   "name", "Bob \x1b]0;evil\x07\x7f\xc2\x9b\xe2\x80\xae", "email", "bob@lama.local",
                                   "trusted", 1, "instances", "instanceId", other.s, "url", "ws://localhost:2",
                                   "connected", 1, "next"));
}

static void outbox(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    ipc_request_reply(r, json_pack("{s:[], s:{s:i, s:i}}", "items", "delivered", "epoch", 0, "change", 0));
}

// Nothing is ever delivered.
static void deliveries(struct ipc_request *r, void *ctx)
{
    (void)ctx;
    fake.listener = r;
}

static const struct {
    const char *method;
    ipc_handler handler;
} handlers[] = {
    {"node.provision", provision},
    {"node.reseal", reseal},
    {"node.settle", settle},
    {"node.keys", keys},
    {"node.peer", peer},
    {"node.status", status},
    {"node.stop", stop},
    {"node.outbox", outbox},
    {"node.deliveries", deliveries},
    {"pairing.invite", invite},
    {"pairing.accept", accept_invitation},
    {"pairing.revoke", revoke_invitation},
    {"contact.forget", forget},
    {"chat.send", chat_send},
    {"chat.list", chat_list},
    {"chat.since", chat_since},
    {"object.put", object_put},
    {"blob.begin", blob_begin},
    {"blob.chunk", blob_chunk},
    {"blob.commit", blob_commit},
    {"blob.read", blob_read},
    {"blob.stat", blob_commit},
    {"contacts.list", contacts},
    {"share.list", empty_list},
    {"connections.list", empty_list},
};

static void channel_closed(void *ctx)
{
    (void)ctx;
    fake.stopping = true;
}

static void run(void)
{
    while (!fake.stopping) {
        struct pollfd fd = {ipc_channel_fd(fake.channel), POLLIN, 0};
        poll(&fd, 1, PARENT_CHECK_MS);
        ipc_channel_drain(fake.channel);
        fake.stopping = fake.stopping || getppid() != fake.child.parent;
    }
}

int main(int argc, char **argv)
{
    struct error e = {0};
    if (ipc_child_parse(argc, argv, &fake.child, &e) != STATUS_OK || ipc_child_guard(&fake.child, &e) != STATUS_OK) {
        fprintf(stderr, "%s\n", e.message);
        return 2;
    }
    crypto_init();
    log_open(STDERR_FILENO, LOG_FORMAT_JSON, fake.child.log_level, "fake");
    if (getenv("FAKE_FAILS") != NULL) {
        LOG(LOG_ERROR, "node.failed", LOG_TEXT("code", "FAILED"), LOG_TEXT("message", getenv("FAKE_FAILS")));
        return 1;
    }
    fake.is_archive = strstr(fake.child.dir, "archive") != NULL;
    struct ipc_service *service = ipc_service_create(IPC_NODE);
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
        ipc_service_on(service, handlers[i].method, handlers[i].handler, NULL);
    fake.channel =
        ipc_channel_dial(fake.child.channel, service, (struct ipc_channel_events){.closed = channel_closed}, &e);
    if (fake.channel == NULL)
        return 1;
    LOG(LOG_INFO, "fake.started");
    run();
    if (fake.listener != NULL)
        ipc_request_reply(fake.listener, NULL);
    ipc_channel_destroy(fake.channel);
    ipc_service_destroy(service);
    return 0;
}
