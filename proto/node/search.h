// chat.search: what was said, and what waits for the archive to be said.
#pragma once

#include "node/job.h"

enum status search_work(struct node_job *job, struct model *m, struct error *e);
