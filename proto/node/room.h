// Keeps the files of a sparse node within their quota: the longest unused go first, and only what the archive has just
// said to have. Loop thread.
#pragma once

struct node;
struct room;

struct room *room_create(struct node *n); // NULL for an archive, which keeps everything
void room_destroy(struct room *o);        // when no store job can come back any more; NULL-safe
void room_look(struct room *o);           // what is asked for has changed; NULL-safe
void room_changed(struct room *o);        // something was stored; NULL-safe
