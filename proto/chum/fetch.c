#include "chum/fetch.h"

#include <stdlib.h>

struct chum_fetch *chum_fetch_use(struct chum_fetch *f)
{
    f->users++;
    return f;
}

void chum_fetch_release(struct chum_fetch *f)
{
    if (--f->users == 0)
        free(f);
}
