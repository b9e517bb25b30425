// A registry is one object that names all there are; each new version repeats it. If everything a peer sends made one,
// the store would grow with the square of what was sent. So what comes from peers is added later: when it is a good
// part of the registry, when the registry has not been written for a while, with the next entry of our own, or at the
// start. Until then the callers know it from elsewhere.
#pragma once

#include "models/model.h"

// One more waits to be added to the registry of this name. *due: write the registry now, then call lag_caught_up.
enum status lag_note(struct model *m, const char *registry, bool *due, struct error *e);
enum status lag_caught_up(struct model *m, const char *registry, size_t entries, struct error *e);
bool lag_exists(struct model *m, const char *registry); // something waits
