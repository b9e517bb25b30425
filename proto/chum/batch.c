// Lengths stand before what they measure, so that reading looks at every byte once and copies none.
#include "chum/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const more_words[] = {"more", "end", "reset"};

void chum_batch_write_head(const struct chum_batch_head *head, struct buf *out)
{
    buf_printf(out, "%lld %lld %s\n", (long long)head->next.epoch, (long long)head->next.place, more_words[head->more]);
}

static void write_text(struct span text, struct buf *out)
{
    buf_printf(out, "%zu\n", text.len);
    buf_add_span(out, text);
    buf_add_char(out, '\n');
}

void chum_batch_write(const struct chum_batch_item *item, struct buf *out)
{
    switch (item->what) {
    case BATCH_ROOT:
        buf_printf(out, "R ");
        write_text(item->text, out);
        return;
    case BATCH_OBJECT:
        buf_printf(out, "%c %s ", item->kind == LINK_ID ? 'I' : 'O', hash_text(&item->hash).s);
        write_text(item->text, out);
        return;
    case BATCH_FILE:
        buf_printf(out, "%c %s %lld\n", item->kind == LINK_CLOB ? 'C' : 'B', hash_text(&item->hash).s,
                   (long long)item->size);
        return;
    case BATCH_ROOT_OVER:
        buf_printf(out, "E\n");
        return;
    }
}

// ---- Reading --------------------------------------------------------------------------------------------------------

static enum status broken(struct error *e)
{
    return error_set(e, STATUS_INVALID, "FEED-BROKEN", "the peer's batch of objects is not one");
}

// What stands before the next end character, which is passed too.
static bool take_until(struct span *rest, char end, size_t most, struct span *out)
{
    size_t look = rest->len < most ? rest->len : most;
    const char *at = look != 0 ? memchr(rest->ptr, end, look) : NULL;
    if (at == NULL)
        return false;
    *out = (struct span){rest->ptr, (size_t)(at - rest->ptr)};
    *rest = span_from(*rest, out->len + 1);
    return true;
}

static bool take_number(struct span *rest, char end, int64_t *out)
{
    struct span digits;
    char text[24] = {0};
    char *stop;
    if (!take_until(rest, end, sizeof text, &digits) || digits.len == 0)
        return false;
    memcpy(text, digits.ptr, digits.len);
    errno = 0;
    *out = strtoll(text, &stop, 10);
    return errno == 0 && stop == text + digits.len && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
}

enum status chum_batch_read_head(struct span *rest, struct chum_batch_head *head, struct error *e)
{
    struct span word;
    if (!take_number(rest, ' ', &head->next.epoch) || !take_number(rest, ' ', &head->next.place) ||
        head->next.place < 0 || !take_until(rest, '\n', 8, &word))
        return broken(e);
    for (size_t i = 0; i < sizeof more_words / sizeof *more_words; i++) {
        head->more = (enum chum_batch_more)i;
        if (span_eq_text(word, more_words[i]))
            return STATUS_OK;
    }
    return broken(e);
}

static bool take_text(struct span *rest, struct span *out)
{
    int64_t len;
    if (!take_number(rest, '\n', &len) || len < 0 || (uint64_t)len >= rest->len || rest->ptr[len] != '\n')
        return false;
    *out = (struct span){rest->ptr, (size_t)len};
    *rest = span_from(*rest, (size_t)len + 1);
    return true;
}

static bool take_hash(struct span *rest, char end, struct hash *out)
{
    struct span hex;
    return take_until(rest, end, HASH_HEX + 1, &hex) && hash_parse(hex, out);
}

static bool take_item(char letter, struct span *rest, struct chum_batch_item *item)
{
    switch (letter) {
    case 'R':
        item->what = BATCH_ROOT;
        return take_text(rest, &item->text);
    case 'O':
    case 'I':
        item->what = BATCH_OBJECT;
        item->kind = letter == 'I' ? LINK_ID : LINK_OBJECT;
        return take_hash(rest, ' ', &item->hash) && take_text(rest, &item->text);
    case 'B':
    case 'C':
        item->what = BATCH_FILE;
        item->kind = letter == 'C' ? LINK_CLOB : LINK_BLOB;
        return take_hash(rest, ' ', &item->hash) && take_number(rest, '\n', &item->size) && item->size >= -1;
    default:
        return false;
    }
}

enum status chum_batch_read(struct span *rest, struct chum_batch_item *item, bool *found, struct error *e)
{
    *item = (struct chum_batch_item){.what = BATCH_ROOT_OVER};
    *found = rest->len != 0;
    if (!*found)
        return STATUS_OK;
    if (rest->len < 2)
        return broken(e);
    char letter = rest->ptr[0];
    bool is_over = letter == 'E' && rest->ptr[1] == '\n';
    if (!is_over && rest->ptr[1] != ' ')
        return broken(e);
    *rest = span_from(*rest, 2);
    return is_over || take_item(letter, rest, item) ? STATUS_OK : broken(e);
}
