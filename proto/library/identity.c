// The file is one line that says what it is, then four secrets as they are: whoever can read it is this identity. It is
// made whole or not at all, so that nobody goes on with keys that the next start does not find.
#include "library/identity.h"

#include <stdlib.h>
#include <string.h>

#include "conn/exchange.h"
#include "io/file.h"

#define TITLE "tandem identity 1\n"
enum { TITLE_SIZE = sizeof TITLE - 1, NAME_MAX_BYTES = 1024 };

struct keys { // as they lie in the file
    uint8_t person[BOX_KEY], instance[BOX_KEY];
    uint8_t person_sign[SIGN_SECRET], instance_sign[SIGN_SECRET];
};

static void draw_pair(uint8_t out[BOX_KEY])
{
    struct public_key public_key;
    struct secret secret;
    box_keypair(&public_key, &secret);
    memcpy(out, secret.data, BOX_KEY);
    secret_destroy(&secret);
}

static void draw_signing(uint8_t out[SIGN_SECRET])
{
    struct sign_public public_key;
    struct secret secret;
    sign_keypair(&public_key, &secret);
    memcpy(out, secret.data, SIGN_SECRET);
    secret_destroy(&secret);
}

static enum status draw(const char *file, struct keys *out, struct error *e)
{
    draw_pair(out->person);
    draw_pair(out->instance);
    draw_signing(out->person_sign);
    draw_signing(out->instance_sign);
    if (file == NULL)
        return STATUS_OK;
    struct buf bytes = {0};
    buf_reserve(&bytes, TITLE_SIZE + sizeof *out);
    buf_add_text(&bytes, TITLE);
    buf_add_span(&bytes, (struct span){(const char *)out, sizeof *out});
    enum status status = file_write(file, buf_span(&bytes), 0600, e);
    secret_wipe(bytes.data, bytes.len);
    buf_free(&bytes);
    return status;
}

static enum status read_keys(const char *file, struct keys *out, struct error *e)
{
    struct buf bytes = {0};
    buf_reserve(&bytes, TITLE_SIZE + sizeof *out + 1);
    enum status status = file_read(file, TITLE_SIZE + sizeof *out, &bytes, e);
    bool whole = bytes.len == TITLE_SIZE + sizeof *out && memcmp(bytes.data, TITLE, TITLE_SIZE) == 0;
    if (whole)
        memcpy(out, bytes.data + TITLE_SIZE, sizeof *out);
    else if (status == STATUS_OK || status == STATUS_TOO_BIG)
        status = error_set(e, STATUS_INVALID, "BAD-IDENTITY", "%s is no identity", file);
    if (bytes.data != NULL)
        secret_wipe(bytes.data, bytes.len);
    buf_free(&bytes);
    return status;
}

static void take_keys(const struct keys *keys, struct conn_identity *out)
{
    out->person_secret = secret_copy(keys->person, BOX_KEY);
    out->instance_secret = secret_copy(keys->instance, BOX_KEY);
    box_public_from_secret(&out->person_secret, &out->person_public);
    box_public_from_secret(&out->instance_secret, &out->instance_public);
    memcpy(out->person_sign_public.b, keys->person_sign + SIGN_SECRET - SIGN_PUBLIC, SIGN_PUBLIC);
    memcpy(out->instance_sign_public.b, keys->instance_sign + SIGN_SECRET - SIGN_PUBLIC, SIGN_PUBLIC);
}

static bool usable(const char *name)
{
    return name != NULL && name[0] != '\0' && strlen(name) <= NAME_MAX_BYTES;
}

enum status identity_open(const char *file, const char *email, const char *instance, const struct recipes *recipes,
                          struct conn_identity *out, struct error *e)
{
    *out = (struct conn_identity){0};
    if (!usable(email) || !usable(instance))
        return error_set(e, STATUS_INVALID, "BAD-NAME", "an e-mail address and an instance name are needed");
    struct keys keys;
    enum status status = file != NULL ? read_keys(file, &keys, e) : STATUS_NOT_FOUND;
    if (status == STATUS_NOT_FOUND)
        status = draw(file, &keys, e);
    if (status == STATUS_OK)
        take_keys(&keys, out);
    secret_wipe(&keys, sizeof keys);
    if (status == STATUS_OK)
        status = exchange_person_id(recipes, span_of(email), &out->person_id, e);
    if (status == STATUS_OK)
        status = exchange_instance_id(recipes, span_of(instance), &out->person_id, &out->instance_id, e);
    out->email = mem_text(span_of(email));
    out->instance_name = mem_text(span_of(instance));
    return status;
}

void identity_close(struct conn_identity *i)
{
    secret_destroy(&i->person_secret);
    secret_destroy(&i->instance_secret);
    free(i->email);
    free(i->instance_name);
}
