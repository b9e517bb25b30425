// The comparison goes the other way round, since first_ms times a power of two may be more than there are numbers for.
#include "base/backoff.h"

enum { BITS = 64 };

uint64_t backoff_ms(struct backoff b, unsigned tries)
{
    return tries < BITS && b.first_ms <= b.last_ms >> tries ? b.first_ms << tries : b.last_ms;
}
