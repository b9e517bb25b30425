// One table for all messages of the relay protocol: which members they have and in which order they are written. Both
// sides use it, the listener's here and the relay's in proto/relay.
#include "net/relay_message.h"

#include <jansson.h>
#include <string.h>

#include "base/hash.h"

static const struct {
    const char *name;
    const char *first, *second; // its members with hex, in the order the reference writes them
} commands[] = {
    [RELAY_REGISTER] = {"register", "publicKey", NULL},
    [RELAY_AUTHENTICATION_REQUEST] = {"authentication_request", "publicKey", "challenge"},
    [RELAY_AUTHENTICATION_RESPONSE] = {"authentication_response", "response", NULL},
    [RELAY_AUTHENTICATION_SUCCESS] = {"authentication_success", NULL, NULL},
    [RELAY_PING] = {"ping", NULL, NULL},
    [RELAY_PONG] = {"pong", NULL, NULL},
    [RELAY_CONNECTION_HANDOVER] = {"connection_handover", NULL, NULL},
    [RELAY_COMMUNICATION_REQUEST] = {"communication_request", "sourcePublicKey", "targetPublicKey"},
    [RELAY_COMM_PONG] = {"comm_pong", NULL, NULL},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

const char *relay_command_name(enum relay_command command)
{
    return commands[command].name;
}

static bool take_hex(const json_t *object, const char *name, struct buf *out)
{
    if (name == NULL)
        return true;
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value))
        return false;
    struct span text = {json_string_value(value), json_string_length(value)};
    char *room = buf_reserve(out, text.len / 2 + 1);
    if (!hex_decode(text, room, text.len / 2))
        return false;
    out->len = text.len / 2;
    return true;
}

static bool take_interval(const json_t *object, struct relay_message *m)
{
    if (m->command != RELAY_AUTHENTICATION_SUCCESS)
        return true;
    const json_t *value = json_object_get(object, "pingInterval");
    double ms = json_number_value(value);
    if (!json_is_number(value) || ms < 0 || ms > 1e12)
        return false;
    m->ping_interval = (uint64_t)ms;
    return true;
}

static bool take_command(const json_t *object, struct relay_message *m)
{
    const char *name = json_string_value(json_object_get(object, "command"));
    for (size_t i = 0; name != NULL && i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            m->command = (enum relay_command)i;
            return true;
        }
    }
    return false;
}

enum status relay_message_parse(struct span text, struct relay_message *out, struct error *e)
{
    json_error_t why;
    *out = (struct relay_message){0};
    json_t *object = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, &why);
    if (object == NULL)
        return error_set(e, STATUS_INVALID, "NOT-JSON", "%s", why.text);
    bool good = take_command(object, out) && take_hex(object, commands[out->command].first, &out->first) &&
                take_hex(object, commands[out->command].second, &out->second) && take_interval(object, out);
    json_decref(object);
    if (good)
        return STATUS_OK;
    relay_message_free(out);
    return error_set(e, STATUS_INVALID, "BAD-MESSAGE", "the message is unknown or incomplete");
}

void relay_message_free(struct relay_message *m)
{
    buf_free(&m->first);
    buf_free(&m->second);
}

static void write_hex(const char *name, const struct buf *bytes, struct buf *out)
{
    if (name == NULL)
        return;
    buf_printf(out, ",\"%s\":\"", name);
    hex_encode(bytes->data, bytes->len, buf_reserve(out, 2 * bytes->len + 1));
    out->len += 2 * bytes->len;
    buf_add_char(out, '"');
}

void relay_message_write(const struct relay_message *m, struct buf *out)
{
    buf_printf(out, "{\"command\":\"%s\"", commands[m->command].name);
    write_hex(commands[m->command].first, &m->first, out);
    write_hex(commands[m->command].second, &m->second, out);
    if (m->command == RELAY_AUTHENTICATION_SUCCESS)
        buf_printf(out, ",\"pingInterval\":%llu", (unsigned long long)m->ping_interval);
    buf_add_char(out, '}');
}

bool relay_key(const struct buf *bytes, struct public_key *out)
{
    if (bytes->len != BOX_KEY)
        return false;
    memcpy(out->b, bytes->data, BOX_KEY);
    return true;
}

enum status relay_answer(const struct buf *challenge, const struct public_key *relay, const struct secret *own,
                         struct buf *response, struct error *e)
{
    struct secret shared = {0};
    struct buf plain = {0};
    enum status st = box_shared_key(relay, own, &shared, e);
    if (st != STATUS_OK)
        goto done;
    st = box_open(&shared, buf_span(challenge), &plain, e);
    if (st != STATUS_OK)
        goto done;
    if (plain.len != RELAY_CHALLENGE) {
        st = error_set(e, STATUS_INVALID, "BAD-CHALLENGE", "the challenge has %zu bytes instead of %d", plain.len,
                       RELAY_CHALLENGE);
        goto done;
    }
    for (size_t i = 0; i < plain.len; i++)
        plain.data[i] = (char)~plain.data[i];
    box_seal(&shared, buf_span(&plain), response);
done:
    buf_free(&plain);
    secret_destroy(&shared);
    return st;
}
