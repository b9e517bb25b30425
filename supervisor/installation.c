#include "supervisor/installation.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { VERSION = 1 };

static enum status check_word(const char *what, const char *text, const char *forbidden, size_t max, struct error *e)
{
    size_t len = strlen(text);
    if (len == 0 || len > max)
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "the %s must have 1 to %zu bytes", what, max);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f || strchr(forbidden, text[i]) != NULL)
            return error_set(e, STATUS_INVALID, "BAD-PARAMS", "the %s holds a character that it may not", what);
    return STATUS_OK;
}

static void set_email(char *out, const char *given, const char *prefix, const char *user)
{
    if (given != NULL)
        snprintf(out, EMAIL_MAX + 1, "%s", given);
    else
        snprintf(out, EMAIL_MAX + 1, "%s%s@lama.local", prefix, user);
}

enum status installation_make(struct installation *in, const char *user, const char *archive_email,
                              const char *sparse_email, struct error *e)
{
    *in = (struct installation){.recreating = -1};
    if (check_word("user name", user, "/", USER_MAX, e) != STATUS_OK)
        return e->status;
    if ((archive_email != NULL && check_word("archive e-mail", archive_email, " ", EMAIL_MAX, e) != STATUS_OK) ||
        (sparse_email != NULL && check_word("sparse e-mail", sparse_email, " ", EMAIL_MAX, e) != STATUS_OK))
        return e->status;
    snprintf(in->user, sizeof in->user, "%s", user);
    set_email(in->nodes[IPC_ARCHIVE].email, archive_email, "node-", user);
    set_email(in->nodes[IPC_SPARSE].email, sparse_email, "", user);
    snprintf(in->nodes[IPC_ARCHIVE].instance_name, NAME_MAX_LENGTH, "lama-node-%s", user);
    snprintf(in->nodes[IPC_SPARSE].instance_name, NAME_MAX_LENGTH, "lama-%s", user);
    if (strcasecmp(in->nodes[0].email, in->nodes[1].email) == 0)
        return error_set(e, STATUS_INVALID, "EMAILS-EQUAL", "both nodes would be the person %s", in->nodes[0].email);
    return STATUS_OK;
}

static bool take_text(const json_t *object, const char *name, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL && (size_t)snprintf(out, size, "%s", text) < size;
}

static bool parse_node(const json_t *root, struct installation *in, enum ipc_node node)
{
    const json_t *object = json_object_get(root, ipc_node_name(node));
    return take_text(object, "email", in->nodes[node].email, sizeof in->nodes[node].email) &&
           take_text(object, "instanceName", in->nodes[node].instance_name, sizeof in->nodes[node].instance_name) &&
           take_text(object, "personId", in->nodes[node].person_id, sizeof in->nodes[node].person_id) &&
           take_text(object, "instanceId", in->nodes[node].instance_id, sizeof in->nodes[node].instance_id);
}

enum status installation_parse(struct span text, struct installation *in, struct error *e)
{
    json_t *root = json_loadb(text.len > 0 ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, NULL);
    *in = (struct installation){.recreating = -1};
    bool good = json_integer_value(json_object_get(root, "v")) == VERSION &&
                take_text(root, "user", in->user, sizeof in->user) && parse_node(root, in, IPC_ARCHIVE) &&
                parse_node(root, in, IPC_SPARSE);
    in->paired = json_is_true(json_object_get(root, "paired"));
    enum ipc_node recreating;
    const char *name = json_string_value(json_object_get(root, "recreating"));
    if (name != NULL && ipc_node_parse(name, &recreating))
        in->recreating = (int)recreating;
    json_decref(root);
    return good ? STATUS_OK : error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "installation.json is damaged");
}

static json_t *node_to_json(const struct installation *in, enum ipc_node node)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "email", in->nodes[node].email, "instanceName",
                     in->nodes[node].instance_name, "personId", in->nodes[node].person_id, "instanceId",
                     in->nodes[node].instance_id);
}

void installation_print(const struct installation *in, struct buf *out)
{
    const char *recreating = in->recreating >= 0 ? ipc_node_name((enum ipc_node)in->recreating) : NULL;
    json_t *root = json_pack("{s:i, s:s, s:o, s:o, s:b, s:s?}", "v", VERSION, "user", in->user, "archive",
                             node_to_json(in, IPC_ARCHIVE), "sparse", node_to_json(in, IPC_SPARSE), "paired",
                             in->paired, "recreating", recreating);
    char *text = json_dumps(root, JSON_INDENT(2));
    buf_add_text(out, text);
    buf_add_char(out, '\n');
    free(text);
    json_decref(root);
}
