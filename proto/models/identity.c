#include "models/identity.h"

#include <stdlib.h>

static void destroy_keys(struct identity_keys *k)
{
    secret_destroy(&k->secret);
    secret_destroy(&k->sign_secret);
}

void identity_destroy(struct identity *i)
{
    if (i == NULL)
        return;
    destroy_keys(&i->person_keys);
    destroy_keys(&i->instance_keys);
    free(i->email);
    free(i->instance_name);
    free(i);
}
