// The list belongs to the transaction: a savepoint remembers how long it was and cuts it back to that (changes_drop). A
// hook may store more, which makes the list longer and may move it, so each change is copied before the hook hears of
// it. Losses are told after the commit only; nothing reacts to them before.
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/changes.h"
#include "store/heads.h"
#include "store/rows.h"
#include "store/schema.h"
#include "store/state.h"

static struct store_change *append(struct store *s)
{
    if (s->change_count == s->change_cap) {
        s->change_cap = s->change_cap != 0 ? s->change_cap * 2 : 64;
        s->changes = mem_resize(s->changes, s->change_cap * sizeof *s->changes);
    }
    struct store_change *c = &s->changes[s->change_count++];
    memset(c, 0, sizeof *c);
    c->from = s->sender;
    return c;
}

void changes_add_object(struct store *s, const struct object_row *row, const struct hash *hash)
{
    struct store_change *c = append(s);
    c->kind = STORE_CHANGE_OBJECT;
    c->type = row->type->name;
    c->content = (enum store_content)row->type->kind;
    c->hash = *hash;
    c->id_hash = row->id_hash;
    c->size = row->size;
    c->part = row->part;
}

void changes_add_head(struct store *s, const struct store_type *type, const struct hash *id_hash,
                      const struct head_row *head)
{
    struct store_change *c = append(s);
    c->kind = STORE_CHANGE_HEAD;
    c->type = type->name;
    c->hash = head->data;
    c->id_hash = *id_hash;
    c->node = head->node;
}

// The beginning of a text, in whole characters.
static bool copy_beginning(struct span text, char *out, size_t size)
{
    struct buf whole = {0};
    utf8_repair(text, &whole);
    struct span shown = utf8_beginning(buf_span(&whole), size - 1);
    bool is_cut = shown.len < whole.len;
    memcpy(out, whole.len != 0 ? whole.data : "", shown.len);
    out[shown.len] = '\0';
    buf_free(&whole);
    return is_cut;
}

void changes_add_loss(struct store *s, const struct version_loss *loss)
{
    const struct store_type *type = type_find(s, loss->type, STORE_OBJECT);
    if (type == NULL)
        return;
    struct store_change *c = append(s);
    c->kind = STORE_CHANGE_LOSS;
    c->type = type->name;
    c->hash = loss->hash;
    c->id_hash = loss->id_hash;
    c->loss = mem_alloc(sizeof *c->loss);
    copy_beginning(loss->property, c->loss->property, sizeof c->loss->property);
    c->loss->is_cut = copy_beginning(loss->value, c->loss->value, sizeof c->loss->value);
}

void changes_drop(struct store *s, size_t keep)
{
    while (s->change_count > keep)
        free(s->changes[--s->change_count].loss);
}

void changes_free(struct store_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(changes[i].loss);
    free(changes);
}

enum status store_announce(struct store *s, struct error *e)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && s->announced < s->change_count) {
        struct store_change change = s->changes[s->announced++]; // the hook may move the list
        if (s->hook != NULL && change.kind != STORE_CHANGE_LOSS)
            status = s->hook(s, &change, s->hook_ctx, e);
    }
    return status;
}

struct store_change *changes_take(struct store *s, size_t *count)
{
    struct store_change *taken = s->changes;
    *count = s->change_count;
    s->changes = NULL;
    s->change_count = s->change_cap = s->announced = 0;
    return taken;
}
