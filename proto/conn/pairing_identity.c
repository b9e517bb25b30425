// The form of the message alone; whether it is who was authenticated is for pairing.c to check. Texts with a zero
// inside are refused, since they become C strings.
#include <stdlib.h>
#include <string.h>

#include "conn/message.h"
#include "conn/pairing.h"

static const char COMMAND[] = "identity";

struct pairing_identity pairing_identity_of(const struct conn_identity *i, char *url)
{
    return (struct pairing_identity){
        .email = i->email,
        .instance_name = i->instance_name,
        .url = url,
        .person_public = i->person_public,
        .instance_public = i->instance_public,
        .person_sign_public = i->person_sign_public,
        .instance_sign_public = i->instance_sign_public,
    };
}

void pairing_identity_write(const struct pairing_identity *i, struct buf *out)
{
    buf_printf(out, "{\"command\":\"%s\",\"obj\":{\"type\":\"public\"", COMMAND);
    message_add_string("personEmail", span_of(i->email), out);
    message_add_string("instanceName", span_of(i->instance_name), out);
    message_add_key("personKeyPublic", i->person_public.b, out);
    message_add_key("personSignKeyPublic", i->person_sign_public.b, out);
    message_add_key("instanceKeyPublic", i->instance_public.b, out);
    message_add_key("instanceSignKeyPublic", i->instance_sign_public.b, out);
    if (i->url != NULL)
        message_add_string("url", span_of(i->url), out);
    buf_add_text(out, "}}");
}

static bool usable(struct span s)
{
    return s.ptr != NULL && memchr(s.ptr, '\0', s.len) == NULL;
}

static enum status take(const json_t *obj, struct pairing_identity *out, struct error *e)
{
    struct span email = message_string(obj, "personEmail");
    struct span name = message_string(obj, "instanceName");
    struct span url = message_string(obj, "url");
    bool has_url = json_object_get(obj, "url") != NULL;
    if (!span_eq_text(message_string(obj, "type"), "public") || !usable(email) || !usable(name) ||
        (has_url && !usable(url)) || !message_key(obj, "personKeyPublic", out->person_public.b) ||
        !message_key(obj, "personSignKeyPublic", out->person_sign_public.b) ||
        !message_key(obj, "instanceKeyPublic", out->instance_public.b) ||
        !message_key(obj, "instanceSignKeyPublic", out->instance_sign_public.b))
        return message_mismatch(COMMAND, e);
    out->email = mem_text(email);
    out->instance_name = mem_text(name);
    out->url = has_url ? mem_text(url) : NULL;
    return STATUS_OK;
}

enum status pairing_identity_read(bool text, struct span message, struct pairing_identity *out, struct error *e)
{
    json_t *json = message_read(text, message, COMMAND, e);
    if (json == NULL)
        return STATUS_INVALID;
    enum status status = take(json_object_get(json, "obj"), out, e);
    json_decref(json);
    return status;
}

void pairing_identity_free(struct pairing_identity *i)
{
    free(i->email);
    free(i->instance_name);
    free(i->url);
    *i = (struct pairing_identity){0};
}
