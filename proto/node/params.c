// Ids are whole here: names and beginnings were resolved before the work began (job.c). A key that came in hexadecimal
// is wiped in the request as soon as it was read, and so must never be looked for again.
#include "node/params.h"

#include <sodium.h>
#include <string.h>

#include "crypto/kdf.h"
#include "ipc/jsonrpc.h"
#include "ipc/service.h"

enum status node_job_hash(struct node_job *job, enum ipc_name param, struct hash *out, struct error *e)
{
    if (hash_parse(span_of(ipc_request_text(job->request, param)), out))
        return STATUS_OK;
    return error_set(e, STATUS_INVALID, "BAD-ID", "parameter '%s' must be an id", IPC_NAME_TEXTS[param]);
}

enum status node_job_optional_hash(struct node_job *job, enum ipc_name param, struct hash *out, bool *given,
                                   struct error *e)
{
    *given = ipc_request_text(job->request, param) != NULL;
    return *given ? node_job_hash(job, param, out, e) : STATUS_OK;
}

enum status node_job_hashes(struct node_job *job, enum ipc_name param, struct hash_list *out, struct error *e)
{
    json_t *items = ipc_request_json(job->request, param);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const char *text = json_string_value(json_array_get(items, i));
        struct hash h;
        if (text == NULL || !hash_parse(span_of(text), &h))
            return error_set(e, STATUS_INVALID, "BAD-PARAMS", "%s[%zu] is not an id of 64 hex digits",
                             IPC_NAME_TEXTS[param], i);
        hash_list_add(out, &h);
    }
    return STATUS_OK;
}

struct span node_job_text(struct node_job *job, enum ipc_name param)
{
    return span_of(ipc_request_text(job->request, param));
}

enum status node_take_key(struct ipc_request *r, enum ipc_name param, struct secret *key, struct error *e)
{
    json_t *text = ipc_request_json(r, param);
    *key = secret_create(KDF_KEY);
    bool ok = hex_decode(span_of(json_string_value(text)), key->data, key->len);
    jsonrpc_wipe(ipc_request_params(r), IPC_NAME_TEXTS[param]);
    return ok ? STATUS_OK : error_set(e, STATUS_INVALID, "BAD-PARAMS", "%s is not hexadecimal", IPC_NAME_TEXTS[param]);
}
