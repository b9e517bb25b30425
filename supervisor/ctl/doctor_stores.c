// The files of nodes that are not open: can they be opened? A node that is open says itself what it finds.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/keychain.h"
#include "crypto/keycopy.h"
#include "io/file.h"
#include "store/look.h"
#include "supervisor/ctl/doctor.h"
#include "supervisor/installation.h"

static const char *const ways_out[] = {
    [IPC_ARCHIVE] =
        "'tandem provision' makes the database anew from the object files beside it; where those are gone as "
        "well: tandem provision --recreate archive, the sparse node gives back what it has.",
    [IPC_SPARSE] = "Make the store anew: tandem provision --recreate sparse; the archive gives everything back.",
};

static char *path_of(const struct ctl *c, const char *format, const char *node)
{
    struct buf b = {0};
    buf_printf(&b, "%s/", c->state_dir);
    buf_printf(&b, "%s%s", node, format);
    char *path = mem_text(buf_span(&b));
    buf_free(&b);
    return path;
}

static void add(struct doctor *d, const char *node, const char *what, const struct error *e, const char *good,
                const char *advice)
{
    char check[48];
    bool ok = e->status == STATUS_OK;
    snprintf(check, sizeof check, "%s %s", node, what);
    doctor_add(d, check, ok, ok ? good : e->message, advice);
}

static void check_database(struct doctor *d, const struct ctl *c, enum ipc_node which)
{
    struct error e = {0};
    const char *node = ipc_node_name(which);
    char *dir = path_of(c, "/store", node);
    store_look(dir, which == IPC_ARCHIVE ? STORE_ARCHIVE : STORE_SPARSE, &e);
    bool unread = strcmp(e.code, "STORE-FAILED") == 0; // which says nothing of the database
    add(d, node, "store", &e, "its database is whole",
        unread ? "Check the disk, and who may read that file." : ways_out[which]);
    free(dir);
}

static void check_keychain(struct doctor *d, const struct ctl *c, const char *node)
{
    struct error e = {0};
    char advice[160];
    char *dir = path_of(c, "/private", node);
    keychain_look(dir, &e);
    snprintf(
        advice, sizeof advice,
        "Put the file back from a backup, or make the node anew with its kept keys: tandem provision --recreate %s.",
        node);
    add(d, node, "keys", &e, "its key files are well-formed", advice);
    free(dir);
}

// Without one everything goes on; it is a remedy for a lost store.
static void check_copy(struct doctor *d, const struct ctl *c, const char *node)
{
    struct error e = {0};
    struct buf text = {0};
    char *path = path_of(c, ".keys", node);
    enum status st = file_read(path, KEYCOPY_MAX, &text, &e);
    if (st == STATUS_OK)
        st = keycopy_check(buf_span(&text), &e);
    bool none = st == STATUS_NOT_FOUND;
    if (none)
        error_clear(&e);
    add(d, node, "key copy", &e, none ? "there is none yet" : "well-formed",
        "Remove it: the node makes it again when it is opened. Without it a lost store gets new keys.");
    buf_free(&text);
    free(path);
}

static bool is_open(const json_t *status, const char *node)
{
    const char *state = json_string_value(json_object_get(json_object_get(status, node), "state"));
    return state != NULL && strcmp(state, "running") == 0;
}

static void add_open(struct doctor *d, const json_t *status, const char *node)
{
    char check[48];
    char text[96];
    const json_t *n = json_object_get(status, node);
    snprintf(check, sizeof check, "%s store", node);
    snprintf(text, sizeof text, "open, %lld objects, %lld bytes",
             (long long)json_integer_value(json_object_get(n, "objects")),
             (long long)json_integer_value(json_object_get(n, "bytes")));
    doctor_add(d, check, true, text, NULL);
}

void doctor_stores(struct doctor *d, const struct ctl *c, const struct installation *in, const json_t *status)
{
    for (int i = 0; i < INSTALLATION_NODES; i++) {
        const char *node = ipc_node_name((enum ipc_node)i);
        if (in->nodes[i].person_id[0] == '\0')
            continue;
        if (is_open(status, node)) {
            add_open(d, status, node);
            continue;
        }
        check_database(d, c, (enum ipc_node)i);
        check_keychain(d, c, node);
        check_copy(d, c, node);
    }
}
