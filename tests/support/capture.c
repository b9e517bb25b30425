#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "crypto/box.h"

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "recorded connection: %s\n", what);
    abort();
}

json_t *capture_load(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/wire/%s.json", TEST_VECTORS, name);
    json_t *json = json_load_file(path, 0, NULL);
    must(json_is_array(json), path);
    return json;
}

const char *capture_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

struct buf capture_bytes(const json_t *object, const char *name)
{
    const char *hex = capture_text(object, name);
    must(hex != NULL, name);
    struct buf b = {0};
    char *room = buf_reserve(&b, strlen(hex) / 2 + 1);
    must(hex_decode(span_of(hex), room, strlen(hex) / 2), name);
    b.len = strlen(hex) / 2;
    return b;
}

void capture_fixed(const json_t *object, const char *name, void *out, size_t len)
{
    const char *hex = capture_text(object, name);
    must(hex != NULL && hex_decode(span_of(hex), out, len), name);
}

struct secret capture_secret(const json_t *object, const char *name)
{
    uint8_t bytes[32];
    capture_fixed(object, name, bytes, sizeof bytes);
    return secret_copy(bytes, sizeof bytes);
}

static void fill(void *ctx, void *out, size_t len)
{
    struct scripted_random *r = ctx;
    must(len <= r->bytes.len - r->used, "more random bytes are drawn than recorded");
    memcpy(out, r->bytes.data + r->used, len);
    r->used += len;
}

void scripted_random_begin(struct scripted_random *r)
{
    *r = (struct scripted_random){.source = {.fill = fill, .ctx = r}};
}

void scripted_random_end(struct scripted_random *r)
{
    buf_free(&r->bytes);
}

void scripted_random_add_padding(struct scripted_random *r, const struct secret *key, uint64_t counter,
                                 struct span frame)
{
    uint8_t nonce[BOX_NONCE] = {0};
    for (int i = 0; i < 8; i++)
        nonce[BOX_NONCE - 1 - i] = (uint8_t)(counter >> (8 * i));
    struct buf plain = {0};
    must(box_open_nonce(key, nonce, frame, &plain, NULL) == STATUS_OK, "a frame does not open");
    bool padded = (plain.data[0] & 0x0f) != 0;
    uint8_t filler = padded ? (uint8_t)plain.data[1] : 0;
    buf_add_char(&r->bytes, (char)(padded ? filler + 1 : 0));
    buf_add(&r->bytes, plain.data + 2, filler);
    buf_free(&plain);
}
