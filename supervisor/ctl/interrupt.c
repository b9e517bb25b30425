// The handler only notes the number: what is half done looks at it between two steps. When it is released the signal is
// raised once more, for whoever would have had it. What was ignored at the start, as under nohup, stays so.
#include "supervisor/ctl/interrupt.h"

#include <signal.h>
#include <stddef.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static volatile sig_atomic_t came;
static struct sigaction before[NUMBERS];

static void note(int number)
{
    came = number;
}

void interrupt_hold(void)
{
    for (size_t i = 0; i < NUMBERS; i++) {
        struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
        sigaction(numbers[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) // as under nohup
            sigaction(numbers[i], &action, NULL);
    }
}

bool interrupt_came(void)
{
    return came != 0;
}

enum status interrupt_check(struct error *e)
{
    return came == 0 ? STATUS_OK : error_set(e, STATUS_CLOSED, "CLOSED", "interrupted");
}

void interrupt_release(void)
{
    for (size_t i = 0; i < NUMBERS; i++)
        sigaction(numbers[i], &before[i], NULL);
    if (came != 0)
        raise(came);
}
