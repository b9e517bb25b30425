// E-mail addresses say who somebody is: defaults have a part that is random, given ones must be two.
#include "supervisor/installation.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "crypto/secret.h"

enum { VERSION = 1, UNIQUE_LENGTH = 8 };

#define EMAIL_DOMAIN "@lama.local"

const struct installation INSTALLATION_NONE = {.recreating = -1, .restoring = -1, .adopting = -1};

static enum status check_word(const char *what, const char *text, const char *forbidden, size_t max, struct error *e)
{
    size_t len = strlen(text);
    if (len == 0 || len > max)
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "the %s must have 1 to %zu bytes", what, max);
    if (!text_is_plain((struct span){text, len}) || strpbrk(text, forbidden) != NULL)
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "the %s holds a character that it may not", what);
    return STATUS_OK;
}

static enum status check_email(const char *node, const char *email, struct error *e)
{
    char what[32];
    snprintf(what, sizeof what, "%s e-mail", node);
    return email == NULL ? STATUS_OK : check_word(what, email, " ", EMAIL_MAX, e);
}

void installation_name(const struct installation *in, char *out, size_t size)
{
    size_t len = strcspn(in->user, "@");
    snprintf(out, size, "%.*s", len != 0 ? (int)len : USER_MAX, in->user);
}

// What an address may hold without being quoted, and everything that is no ASCII.
static bool fits_address(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || c == '.' || c == '_' || c == '-';
}

// Whoever has the same e-mail is the same person to everybody, so a default must not be what others come upon as well.
static void set_email(struct installation *in, enum ipc_node node, const char *given, const char *unique)
{
    char name[USER_MAX + 1];
    struct buf b = {0};
    installation_name(in, name, sizeof name);
    for (char *at = name; *at != '\0'; at++)
        if (!fits_address(*at))
            *at = '-';
    if (given != NULL)
        buf_add_text(&b, given);
    else
        buf_printf(&b, "%s%s-%s" EMAIL_DOMAIN, node == IPC_ARCHIVE ? "node-" : "", name, unique);
    snprintf(in->nodes[node].email, EMAIL_MAX + 1, "%s", buf_cstr(&b));
    buf_free(&b);
}

static void set_instance_name(struct installation *in, enum ipc_node node)
{
    char name[USER_MAX + 1];
    installation_name(in, name, sizeof name);
    snprintf(in->nodes[node].instance_name, NAME_MAX_LENGTH + 1, "%s%s", node == IPC_ARCHIVE ? "lama-node-" : "lama-",
             name);
}

static enum status check_different(const struct installation *in, struct error *e)
{
    if (strcasecmp(in->nodes[0].email, in->nodes[1].email) != 0)
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, "EMAILS-EQUAL", "both nodes would be the person %s", in->nodes[0].email);
}

enum status installation_make(struct installation *in, const char *user, const char *archive_email,
                              const char *sparse_email, struct error *e)
{
    char unique[UNIQUE_LENGTH + 1];
    *in = INSTALLATION_NONE;
    if (check_word("user name", user, "/", USER_MAX, e) != STATUS_OK ||
        check_email("archive", archive_email, e) != STATUS_OK || check_email("sparse", sparse_email, e) != STATUS_OK)
        return e->status;
    snprintf(in->user, sizeof in->user, "%s", user);
    random_letters(unique, UNIQUE_LENGTH);
    set_email(in, IPC_ARCHIVE, archive_email, unique);
    set_email(in, IPC_SPARSE, sparse_email, unique);
    set_instance_name(in, IPC_ARCHIVE);
    set_instance_name(in, IPC_SPARSE);
    return check_different(in, e);
}

static enum ipc_node other_node(enum ipc_node node)
{
    return node == IPC_ARCHIVE ? IPC_SPARSE : IPC_ARCHIVE;
}

enum status installation_adopt(struct installation *in, enum ipc_node node, const char *user, const char *other_email,
                               struct error *e)
{
    enum ipc_node other = other_node(node);
    char unique[UNIQUE_LENGTH + 1];
    *in = INSTALLATION_NONE;
    in->adopting = (int)node;
    if (user == NULL && node != IPC_ARCHIVE) // the archive is made first and needs a name
        return error_set(e, STATUS_INVALID, "BAD-PARAMS", "provision: parameter 'user' is missing");
    if ((user != NULL && check_word("user name", user, "/", USER_MAX, e) != STATUS_OK) ||
        check_email(ipc_node_name(other), other_email, e) != STATUS_OK)
        return e->status;
    snprintf(in->user, sizeof in->user, "%s", user != NULL ? user : "");
    random_letters(unique, UNIQUE_LENGTH);
    if (user != NULL || other_email != NULL)
        set_email(in, other, other_email, unique);
    if (user != NULL)
        set_instance_name(in, other);
    return STATUS_OK;
}

static bool is_default_email(const char *at)
{
    return strcmp(at, EMAIL_DOMAIN) == 0 && at[-1 - UNIQUE_LENGTH] == '-' &&
           strspn(at - UNIQUE_LENGTH, RANDOM_LETTERS) == UNIQUE_LENGTH;
}

// "node-joe-k3v9m2pq@lama.local", "node-joe@lama.local" and "joe@example.org" belong to joe.
static void name_user(struct installation *in, const char *email)
{
    const char *name = strncmp(email, "node-", 5) == 0 ? email + 5 : email;
    size_t len = strcspn(name, "@");
    if (len > UNIQUE_LENGTH + 1 && is_default_email(name + len))
        len -= UNIQUE_LENGTH + 1;
    snprintf(in->user, sizeof in->user, "%.*s", len < USER_MAX ? (int)len : USER_MAX, len > 0 ? name : "owner");
}

enum status installation_adopted(struct installation *in, const char *email, const char *instance_name, struct error *e)
{
    enum ipc_node node = (enum ipc_node)in->adopting;
    enum ipc_node other = other_node(node);
    char unique[UNIQUE_LENGTH + 1];
    if (email == NULL || instance_name == NULL || strlen(email) > EMAIL_MAX || strlen(instance_name) > NAME_MAX_LENGTH)
        return error_set(e, STATUS_INVALID, "BAD-INPUT",
                         "the storage directory has no usable e-mail and instance name");
    random_letters(unique, UNIQUE_LENGTH);
    set_email(in, node, email, unique);
    snprintf(in->nodes[node].instance_name, NAME_MAX_LENGTH + 1, "%s", instance_name);
    if (in->user[0] == '\0')
        name_user(in, email);
    if (in->nodes[other].email[0] == '\0')
        set_email(in, other, NULL, unique);
    set_instance_name(in, other);
    in->adopting = -1;
    return check_different(in, e);
}

static bool take_text(const json_t *object, const char *name, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL && (size_t)snprintf(out, size, "%s", text) < size;
}

static bool parse_node(const json_t *root, struct installation *in, enum ipc_node node)
{
    const json_t *object = json_object_get(root, ipc_node_name(node));
    take_text(object, "instanceKey", in->nodes[node].instance_key, sizeof in->nodes[node].instance_key);
    return take_text(object, "email", in->nodes[node].email, sizeof in->nodes[node].email) &&
           take_text(object, "instanceName", in->nodes[node].instance_name, sizeof in->nodes[node].instance_name) &&
           take_text(object, "personId", in->nodes[node].person_id, sizeof in->nodes[node].person_id) &&
           take_text(object, "instanceId", in->nodes[node].instance_id, sizeof in->nodes[node].instance_id);
}

static int take_node(const json_t *root, const char *member)
{
    enum ipc_node node;
    const char *name = json_string_value(json_object_get(root, member));
    return name != NULL && ipc_node_parse(name, &node) ? (int)node : -1;
}

enum status installation_parse(struct span text, struct installation *in, struct error *e)
{
    json_t *root = json_loadb(text.len > 0 ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, NULL);
    *in = INSTALLATION_NONE;
    bool good = json_integer_value(json_object_get(root, "v")) == VERSION &&
                take_text(root, "user", in->user, sizeof in->user) && parse_node(root, in, IPC_ARCHIVE) &&
                parse_node(root, in, IPC_SPARSE);
    in->paired = json_is_true(json_object_get(root, "paired"));
    in->listener_stopped = json_is_true(json_object_get(root, "listenerStopped"));
    in->recreating = take_node(root, "recreating");
    in->restoring = take_node(root, "restoring");
    in->adopting = take_node(root, "adopting");
    json_decref(root);
    return good ? STATUS_OK : error_set(e, STATUS_CORRUPT, "STORE-CORRUPT", "installation.json is damaged");
}

static json_t *node_to_json(const struct installation *in, enum ipc_node node)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "email", in->nodes[node].email, "instanceName",
                     in->nodes[node].instance_name, "personId", in->nodes[node].person_id, "instanceId",
                     in->nodes[node].instance_id, "instanceKey", in->nodes[node].instance_key);
}

static const char *node_name_or_null(int node)
{
    return node >= 0 ? ipc_node_name((enum ipc_node)node) : NULL;
}

void installation_print(const struct installation *in, struct buf *out)
{
    json_t *root =
        json_pack("{s:i, s:s, s:o, s:o, s:b, s:b, s:s?, s:s?, s:s?}", "v", VERSION, "user", in->user, "archive",
                  node_to_json(in, IPC_ARCHIVE), "sparse", node_to_json(in, IPC_SPARSE), "paired", in->paired,
                  "listenerStopped", in->listener_stopped, "recreating", node_name_or_null(in->recreating), "restoring",
                  node_name_or_null(in->restoring), "adopting", node_name_or_null(in->adopting));
    char *text = json_dumps(root, JSON_INDENT(2));
    buf_add_text(out, text);
    buf_add_char(out, '\n');
    free(text);
    json_decref(root);
}
