// Answers that hold a list: one page of it, in what one message of the control channel can carry, and how to go on.
#pragma once

#include "node/job.h"

// Paging over lists that are made whole: the result with the members of one page of items and how to go on. Takes items
// over.
json_t *node_page(struct ipc_request *request, json_t *items);
void node_job_page(struct node_job *job, json_t *items); // as the job's result
// The same at the end of a listing that may have failed, whose status it returns.
enum status node_job_listed(struct node_job *job, enum status listed, json_t *items);
// How many of the items, from first on and at most limit, one answer should hold (IPC_PAGE_MAX): at least one.
size_t node_job_fit(const json_t *items, size_t first, size_t limit);
size_t node_json_size(const json_t *value); // as text
