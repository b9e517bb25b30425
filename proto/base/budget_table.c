// The table of limits. Where it says ANY something else bounds: a connection of a contact is bounded by its person's
// rate, and of what is queued to a peer that may ask only its own unread answers count, see conn.h.
#include "base/budget.h"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define ANY                                                                                                            \
    {                                                                                                                  \
        BUDGET_NO_LIMIT, 0                                                                                             \
    }

static const struct budget_limit limits[BUDGET_CLASSES][BUDGET_KINDS][BUDGET_LEVELS] = {
    // of a connection, of a person, of all
    [BUDGET_STRANGER] = {[BUDGET_HELD] = {{KIB(64), 0}, {MIB(4), 0}, {MIB(4), 0}},
                         [BUDGET_QUEUED] = {ANY, ANY, ANY},
                         [BUDGET_REQUESTS] = {{0, 0}, {0, 0}, {0, 0}},
                         [BUDGET_VALUES] = {{2000, 100}, {200000, 20000}, {200000, 20000}},
                         [BUDGET_WORK] = {{0, 0}, {0, 0}, {0, 0}},
                         [BUDGET_DIALS] = {{0, 0}, {0, 0}, {0, 0}},
                         [BUDGET_VERSIONS] = {{0, 0}, {0, 0}, {0, 0}},
                         [BUDGET_GROWTH] = {{0, 0}, {0, 0}, {0, 0}}},
    [BUDGET_CONTACT] = {[BUDGET_HELD] = {{MIB(32), 0}, {MIB(32), 0}, {MIB(48), 0}},
                        [BUDGET_QUEUED] = {ANY, ANY, ANY},
                        [BUDGET_REQUESTS] = {{4096, 0}, {8192, 0}, {16384, 0}},
                        [BUDGET_VALUES] = {ANY, {8000000, 1000000}, {16000000, 4000000}},
                        [BUDGET_WORK] = {ANY, {60000, 800}, {120000, 900}},
                        [BUDGET_DIALS] = {ANY, {32, 4}, {64, 16}},
                        [BUDGET_VERSIONS] = {ANY, {200000, 200}, {400000, 800}},
                        [BUDGET_GROWTH] = {ANY, {MIB(32), KIB(32)}, {MIB(128), KIB(128)}}},
    [BUDGET_OWN] = {[BUDGET_HELD] = {{MIB(80), 0}, {MIB(160), 0}, {MIB(160), 0}},
                    [BUDGET_QUEUED] = {ANY, ANY, ANY},
                    [BUDGET_REQUESTS] = {{4096, 0}, {16384, 0}, {16384, 0}},
                    [BUDGET_VALUES] = {ANY, ANY, ANY},
                    [BUDGET_WORK] = {ANY, ANY, ANY},
                    [BUDGET_DIALS] = {ANY, ANY, ANY},
                    [BUDGET_VERSIONS] = {ANY, ANY, ANY},
                    [BUDGET_GROWTH] = {ANY, ANY, ANY}},
};

static const char *const kind_names[BUDGET_KINDS] = {
    [BUDGET_HELD] = "bytesHeld",    [BUDGET_QUEUED] = "bytesQueued", [BUDGET_REQUESTS] = "requests",
    [BUDGET_VALUES] = "values",     [BUDGET_WORK] = "storeMs",       [BUDGET_DIALS] = "dials",
    [BUDGET_VERSIONS] = "versions", [BUDGET_GROWTH] = "growthBytes",
};
static const char *const class_names[BUDGET_CLASSES] = {"stranger", "contact", "own"};

struct budget_limit budget_limit(enum budget_class class, enum budget_kind kind, enum budget_level level)
{
    return limits[class][kind][level];
}

const char *budget_kind_name(enum budget_kind kind)
{
    return kind_names[kind];
}

const char *budget_class_name(enum budget_class class)
{
    return class_names[class];
}

bool budget_is_rate(enum budget_kind kind)
{
    return kind >= BUDGET_VALUES;
}
