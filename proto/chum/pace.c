// The clock runs from the beginning of a pass: a pass that took longer than the pause is followed by the next at once,
// so its length is no part of the rhythm, but for news of a contact that brought nothing (chum_pace_for_news).
#include "chum/pace.h"

#include "base/clock.h"
#include "chum/charge.h"

enum {
    POLL_ACTIVE_MS = 800,
    POLL_IDLE_MS = 5000,
    POLL_TOLD_MS = 15000,  // who tells of news is only asked in case it could not,
    POLL_QUIET_MS = 60000, // and seldom while nothing goes on,
    POLL_FED_MS = 60000,   // and still less if all that we want of it comes by its feed
    POLL_FED_QUIET_MS = 300000,
    POLL_SLACK_PART = 4,  // of the pause: it may be so much shorter, so that several are asked at once
    NEWS_REST_MS = 50,    // between two passes for a contact's news, if they are worth no more
    NEWS_IN_VAIN = 3,     // passes for news that brought nothing, one after another, and do not count
    POSTPONED_MS = 50,    // when the last pass left something for another one
    POLL_PER_ANSWER = 20, // polls are at least this many times the peer's answer time apart
};

void chum_pace_keep_active(struct chum_pace *p, uint64_t now, uint64_t ms)
{
    if (now + ms > p->active_until)
        p->active_until = now + ms;
}

void chum_pace_begin(struct chum_pace *p, uint64_t now, bool was_answered)
{
    p->latency_before_ms = was_answered ? p->fetch->counts->latency_ms : UINT64_MAX;
    p->began = now;
    p->objects_before = p->fetch->counts->objects_received;
}

// What a list costs is our work, however little of it is new; what the feed brings is charged to the peer's account.
static unsigned count_in_vain(const struct chum_pace *p)
{
    if (!p->passed || chum_importer_has_listed(p->importer))
        return NEWS_IN_VAIN + 1;
    if (p->fetch->counts->objects_received != p->objects_before)
        return 0;
    return p->in_vain <= NEWS_IN_VAIN ? p->in_vain + 1 : p->in_vain;
}

void chum_pace_over(struct chum_pace *p, uint64_t now, bool passed)
{
    p->took = now - p->began;
    p->passed = passed;
    p->in_vain = count_in_vain(p);
}

// One late answer does not make a slow peer, it may have been asleep: the quicker of the last two counts.
static uint64_t answer_time(const struct chum_pace *p)
{
    uint64_t last = p->fetch->counts->latency_ms;
    return p->latency_before_ms < last ? p->latency_before_ms : last;
}

static uint64_t told_interval(const struct chum_pace *p, bool in_want, bool is_active)
{
    if (in_want || !chum_importer_is_fed(p->importer))
        return in_want || is_active ? POLL_TOLD_MS : POLL_QUIET_MS;
    return is_active ? POLL_FED_MS : POLL_FED_QUIET_MS;
}

static uint64_t interval(const struct chum_pace *p, uint64_t now)
{
    if (p->poll_ms != 0)
        return p->poll_ms;
    bool is_active = p->active_until > now;
    bool in_want = p->fetch->counts->failed_roots != 0 || !p->passed;
    if (chum_news_are_told(p->news) && (p->peer_is_own || !in_want))
        return told_interval(p, in_want, is_active);
    uint64_t usual = is_active ? POLL_ACTIVE_MS : POLL_IDLE_MS;
    uint64_t least = POLL_PER_ANSWER * answer_time(p);
    return usual > least ? usual : least;
}

// What failed is not kept waiting by a peer that may be asked at any time.
uint64_t chum_pace_next(const struct chum_pace *p, uint64_t now)
{
    uint64_t pause = interval(p, now);
    uint64_t next = p->began + pause;
    if (pause >= POLL_QUIET_MS)
        next = clock_together(next, pause / POLL_SLACK_PART);
    uint64_t retry = p->peer_is_own ? chum_importer_retry_at(p->importer) : 0;
    if (retry != 0 && retry < next)
        next = retry > p->began + POLL_ACTIVE_MS ? retry : p->began + POLL_ACTIVE_MS;
    return next > now ? next : now;
}

uint64_t chum_pace_for_news(const struct chum_pace *p, uint64_t now)
{
    uint64_t rest = chum_charge_rest(p->fetch);
    uint64_t rested = p->in_vain > NEWS_IN_VAIN ? p->began + 2 * p->took + NEWS_REST_MS : now;
    if (p->peer_is_own)
        return now;
    return now + rest > rested ? now + rest : rested;
}

// A peer that sends more than it may is asked again when it may; one that has nothing new, after as
// long as it kept us at work.
static uint64_t postponed_ms(const struct chum_pace *p)
{
    uint64_t rest = chum_charge_rest(p->fetch);
    if (chum_importer_rest_ms(p->importer) > rest)
        rest = chum_importer_rest_ms(p->importer);
    if (rest <= POSTPONED_MS)
        return POSTPONED_MS;
    return rest < POLL_IDLE_MS ? rest : POLL_IDLE_MS;
}

uint64_t chum_pace_after(const struct chum_pace *p, uint64_t now, bool news)
{
    if (chum_importer_is_postponing(p->importer))
        return now + postponed_ms(p);
    if (!p->passed && p->peer_is_own)
        return now + POLL_ACTIVE_MS;
    return news ? chum_pace_for_news(p, now) : chum_pace_next(p, now);
}
