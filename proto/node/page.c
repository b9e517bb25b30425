// A position is a place in a list that is made anew for each page: what comes in between may be shown twice or not at
// all. That is good enough for lists that people look at; messages are paged by their ids (conversation.c).
#include "node/page.h"

#include <stdio.h>
#include <stdlib.h>

#include "ipc/methods.h"
#include "ipc/service.h"

size_t node_json_size(const json_t *value)
{
    return json_dumpb(value, NULL, 0, JSON_COMPACT);
}

size_t node_job_fit(const json_t *items, size_t first, size_t limit)
{
    size_t bytes = 0;
    size_t n = 0;
    while (n < limit && first + n < json_array_size(items)) {
        bytes += node_json_size(json_array_get(items, first + n));
        if (n > 0 && bytes > IPC_PAGE_MAX)
            break;
        n++;
    }
    return n;
}

json_t *node_page(struct ipc_request *request, json_t *items)
{
    size_t limit = (size_t)ipc_request_int(request, P_limit, 100);
    const char *after = ipc_request_text(request, P_after);
    size_t first = after != NULL ? (size_t)strtoull(after, NULL, 10) : 0;
    json_t *page = json_array();
    size_t count = json_array_size(items);
    limit = node_job_fit(items, first, limit);
    for (size_t i = first; i < first + limit; i++)
        json_array_append(page, json_array_get(items, i));
    json_t *result = json_pack("{s:o}", "items", page);
    if (first < count && count - first > limit) {
        char next[24];
        snprintf(next, sizeof next, "%zu", first + limit);
        json_object_set_new(result, "next", json_string(next));
    }
    json_decref(items);
    return result;
}

void node_job_page(struct node_job *job, json_t *items)
{
    job->result = node_page(job->request, items);
}

enum status node_job_listed(struct node_job *job, enum status listed, json_t *items)
{
    if (listed == STATUS_OK)
        node_job_page(job, items);
    else
        json_decref(items);
    return listed;
}
