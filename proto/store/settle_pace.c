// Files are made when nothing was written for a while, so that nobody waits for their making; at the latest, however,
// some time after the first that waits. From then on each batch is followed by a rest, so many times as long as the
// batch took: whoever writes on has most of the disk, and what waits is safe in the database meanwhile. What waits has
// a bound, however: beyond it there is no rest until all is in files.
#include "store/settle_pace.h"

enum {
    QUIET_MS = 500,
    LATEST_MS = 5000,
    REST_TIMES = 6,
    REST_MAX_MS = 3000,
    WAITING_BODIES = 50000,
    WAITING_BYTES = 64 << 20,
    UPKEEP_MS = 60000,
};

void settle_pace_wrote(struct settle_pace *p, uint64_t now, uint64_t bodies, uint64_t bytes)
{
    if (p->since == 0)
        p->since = now;
    if (p->kept_at == 0)
        p->kept_at = now;
    p->written_at = now;
    p->bodies += bodies;
    p->bytes += bytes;
}

void settle_pace_begins(struct settle_pace *p, uint64_t now)
{
    p->begun_at = now;
}

void settle_pace_ends(struct settle_pace *p, uint64_t now)
{
    uint64_t rest = (now - p->begun_at) * REST_TIMES;
    p->rests_until = now + (rest < REST_MAX_MS ? rest : REST_MAX_MS);
}

void settle_pace_all_done(struct settle_pace *p)
{
    p->since = 0;
    p->bodies = 0;
    p->bytes = 0;
}

void settle_pace_kept(struct settle_pace *p, uint64_t now)
{
    p->kept_at = now;
}

bool settle_pace_upkeep_is_due(const struct settle_pace *p, uint64_t now)
{
    return p->kept_at != 0 && now >= p->kept_at + UPKEEP_MS;
}

bool settle_pace_presses(const struct settle_pace *p, uint64_t now)
{
    return p->bodies > WAITING_BODIES || p->bytes > WAITING_BYTES || settle_pace_upkeep_is_due(p, now);
}

uint64_t settle_pace_due(const struct settle_pace *p, uint64_t now)
{
    uint64_t quiet = p->written_at + QUIET_MS, latest = p->since + LATEST_MS;
    if (latest < p->rests_until)
        latest = p->rests_until;
    if (settle_pace_presses(p, now))
        return now;
    uint64_t due = quiet < latest ? quiet : latest;
    return due > now ? due : now;
}
