// Keys are opened and checked before anything is moved, and what is put aside is renamed, never removed: each step
// leaves either the old folder or a whole new one. A copy takes the folder's place only if it opens with the same key,
// so a copy of somebody else's changes nothing.
#include "node/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "crypto/keycopy.h"
#include "io/file.h"
#include "io/folder.h"

enum status keyring_put_aside(const char *path, const char *suffix, char **to, struct error *e)
{
    struct buf b = {0};
    buf_printf(&b, "%s.%s", path, suffix);
    for (unsigned number = 2; file_exists(buf_cstr(&b)); number++) {
        buf_clear(&b);
        buf_printf(&b, "%s.%s-%u", path, suffix, number);
    }
    enum status st = file_rename(path, buf_cstr(&b), e);
    if (st == STATUS_OK)
        LOG(LOG_WARN, "node.putAside", LOG_TEXT("path", path), LOG_TEXT("to", buf_cstr(&b)));
    if (to != NULL)
        *to = mem_text(buf_span(&b));
    buf_free(&b);
    return st;
}

static enum status open_checked(const char *dir, const struct secret *key, bool create, struct keychain **out,
                                struct error *e)
{
    enum status st = keychain_open(dir, key, create, out, e);
    if (st == STATUS_OK)
        st = keychain_check(*out, e);
    if (st != STATUS_OK) {
        keychain_close(*out);
        *out = NULL;
    }
    return st;
}

// The copy is opened beside the folder, and takes its place only if it opens.
static enum status take_copy(struct keyring *r, struct keychain **out, struct error *e)
{
    struct error why = {0};
    char *old = NULL;
    struct buf fresh = {0};
    buf_printf(&fresh, "%s.copy", r->dir);
    enum status st = folder_remove_tree(buf_cstr(&fresh), &why);
    if (st == STATUS_OK)
        st = keycopy_restore(buf_cstr(&fresh), span_of(r->copy), &why);
    if (st == STATUS_OK)
        st = open_checked(buf_cstr(&fresh), r->key, false, out, &why);
    keychain_close(*out);
    *out = NULL;
    if (st == STATUS_OK && file_exists(r->dir))
        st = keyring_put_aside(r->dir, "damaged", &old, &why);
    if (st == STATUS_OK)
        st = file_rename(buf_cstr(&fresh), r->dir, &why);
    if (st == STATUS_OK)
        st = keychain_open(r->dir, r->key, false, out, &why);
    (void)folder_remove_tree(buf_cstr(&fresh), NULL);
    if (st == STATUS_OK && old != NULL)
        snprintf(r->note, sizeof r->note, "The keys were damaged and were restored from their copy; %.90s has the old",
                 old);
    buf_free(&fresh);
    free(old);
    if (st == STATUS_REFUSED || st == STATUS_CORRUPT)
        return error_set(e, STATUS_CORRUPT, "BAD-KEY-FILE", "the copy of this node's keys cannot be opened: %s",
                         why.message);
    return st == STATUS_OK ? st : error_set(e, st, why.code, "%s", why.message);
}

static bool is_file(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

// Every key of the copy is in the folder as well.
static bool has_all(const struct keyring *r)
{
    struct span files;
    bool all = true;
    if (!keycopy_files(span_of(r->copy), &files))
        return true; // a copy that is damaged says nothing
    struct span name;
    while (all && keycopy_next_name(&files, &name)) {
        struct buf path = {0};
        buf_printf(&path, "%s/" SPAN_FMT, r->dir, SPAN_ARG(name));
        all = span_eq_text(name, "keychain_masterkey.next") || is_file(buf_cstr(&path));
        buf_free(&path);
    }
    return all;
}

static enum status open_new(struct keyring *r, struct keychain **out, struct error *e)
{
    char *old = NULL;
    enum status st = STATUS_OK;
    if (r->give_up && file_exists(r->dir))
        st = keyring_put_aside(r->dir, "damaged", &old, e);
    if (st == STATUS_OK && old != NULL)
        snprintf(r->note, sizeof r->note, "The keys were damaged; %.90s has them", old);
    free(old);
    return st == STATUS_OK ? keychain_open(r->dir, r->key, true, out, e) : st;
}

enum status keyring_open(struct keyring *r, struct keychain **out, struct error *e)
{
    struct error why = {0};
    struct error of_copy = {0};
    *out = NULL;
    bool there = keychain_exists(r->dir);
    enum status st = open_checked(r->dir, r->key, r->create && r->copy == NULL, out, &why);
    if (st == STATUS_OK && (r->copy == NULL || has_all(r)))
        return STATUS_OK;
    keychain_close(*out);
    *out = NULL;
    if (r->copy != NULL && take_copy(r, out, &of_copy) == STATUS_OK)
        return STATUS_OK;
    if (st == STATUS_OK) // the copy is of somebody else; if a key is missing, whoever needs it says so
        return keychain_open(r->dir, r->key, false, out, e);
    if (r->create && r->give_up && (there || r->copy == NULL))
        return open_new(r, out, e);
    if (r->copy != NULL && !there)
        return error_set(e, of_copy.status, of_copy.code, "%s", of_copy.message);
    if (st == STATUS_NOT_FOUND)
        return error_set(e, STATUS_NOT_FOUND, "STORE-MISSING", "the keys of this node are missing: %s", why.message);
    return error_set(e, st != STATUS_OK ? st : of_copy.status, st != STATUS_OK ? why.code : of_copy.code, "%s",
                     st != STATUS_OK ? why.message : of_copy.message);
}
