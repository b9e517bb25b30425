// What refers to an object is counted without grants, which are about it and do not need it, and without shells:
// descriptors that keeping_file made only so that a file has something to be shown by.
#include "models/reach.h"

#include <string.h>

#include "models/chat.h"
#include "models/own_node.h"

bool reach_is_held(struct model *m, const struct hash *hash)
{
    struct hash own = {{0}};
    bool held = true;
    (void)sharing_own_node(m, &own, NULL);
    return store_is_held(m->store, hash, &m->self->person, &own, &held, NULL) != STATUS_OK || held;
}

// What own nodes keep a file by (keeping_file), or an attachment that was attached to nothing in the end.
static bool is_shell(struct model *m, const struct store_info *info, const struct hash *hash)
{
    return strcmp(info->type, "BlobDescriptor") == 0 && !reach_is_held(m, hash);
}

// What refers to it, grants aside; what only keeps it goes to shells.
enum status reach_referrers(struct model *m, const struct hash *hash, struct hash_list *out, struct hash_list *shells,
                            struct error *e)
{
    struct hash_list all = {0};
    enum status status = store_referrers(m->store, hash, (struct span){0}, false, &all, e);
    for (size_t i = 0; i < all.count; i++) {
        struct store_info by;
        if (store_info(m->store, &all.items[i], &by, NULL) != STATUS_OK || strcmp(by.type, "Access") == 0 ||
            strcmp(by.type, "IdAccess") == 0)
            continue;
        bool shell = is_shell(m, &by, &all.items[i]);
        if (!shell)
            hash_list_add(out, &all.items[i]);
        else if (shells != NULL)
            hash_list_add(shells, &all.items[i]);
    }
    hash_list_free(&all);
    return status;
}

// Whoever said the same twice has one object for both.
bool reach_is_needed(struct model *m, const struct hash *data, const struct hash_map *batch)
{
    struct hash_list above = {0};
    bool needed = reach_referrers(m, data, &above, NULL, NULL) != STATUS_OK;
    for (size_t i = 0; i < above.count && !needed; i++)
        needed =
            !store_is_hidden(m->store, &above.items[i]) && (batch == NULL || !hash_map_has(batch, &above.items[i]));
    hash_list_free(&above);
    return needed;
}

// Does only this one refer to it? Then the shells are added.
static bool is_only_below(struct model *m, const struct hash *hash, const struct hash *above, struct hash_list *shells)
{
    struct hash_list all = {0};
    bool only = reach_referrers(m, hash, &all, shells, NULL) == STATUS_OK;
    for (size_t i = 0; i < all.count && only; i++)
        only = hash_eq(&all.items[i], above);
    hash_list_free(&all);
    return only;
}

// What is below a message and nothing else: what describes its files, then these.
void reach_files(struct model *m, const struct hash *data, struct hash_list *out)
{
    struct hash_list descriptors = {0};
    struct hash_list files = {0};
    (void)chat_files(m, data, &descriptors, &descriptors, NULL);
    for (size_t i = 0; i < descriptors.count; i++) {
        struct value *object;
        struct hash file;
        const struct hash *descriptor = &descriptors.items[i];
        if (!is_only_below(m, descriptor, data, NULL) || hash_list_has(out, descriptor))
            continue;
        hash_list_add(out, descriptor);
        if (model_read(m, descriptor, "BlobDescriptor", &object, NULL) == STATUS_OK &&
            value_get_hash(object, "data", &file) && is_only_below(m, &file, descriptor, out))
            hash_list_add(&files, &file);
    }
    for (size_t i = 0; i < files.count; i++)
        hash_list_add(out, &files.items[i]);
    hash_list_free(&files);
    hash_list_free(&descriptors);
}

enum status reach_message(struct model *m, const struct hash *id, struct hash *data, struct error *e)
{
    struct value *object;
    enum status status = model_read(m, id, "CreationTime", &object, e);
    if (status == STATUS_OK && !value_get_hash(object, "data", data))
        status = error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "%s is not a message", hash_text(id).s);
    return status;
}
