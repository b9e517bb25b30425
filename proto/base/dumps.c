// A dumpable process can be attached to by every process of its user; one that holds keys must not be.
#include "base/dumps.h"

#include <sys/prctl.h>
#include <sys/resource.h>

bool dumps_forbid(void)
{
#ifdef TANDEM_DEBUGGABLE
    return true;
#else
    const struct rlimit none = {0, 0};
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0;
#endif
}
