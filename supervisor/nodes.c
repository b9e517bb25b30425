// What is known of the two nodes, and whether anything is under way that they must be left alone for. Whoever asks does
// not need to know how they get there (drive.c).
#include "base/clock.h"
#include "supervisor/core.h"

enum { SILENT_MS = 1500 };

void node_forget(struct node *n)
{
    n->opened = 0;
    n->told = 0;
    n->copied = 0;
    n->blocked = 0;
    n->not_before = 0;
    json_decref(n->status);
    n->status = NULL;
    n->unheard = 0;
    n->asked_at = 0;
}

void node_note_failure(struct node *n, const struct error *error)
{
    n->failure = *error;
    n->failed_at = clock_wall_ms();
}

bool node_is_open(const struct node *n)
{
    return process_state(n->process) == PROCESS_UP && n->opened == process_generation(n->process);
}

static bool peer_flag(const struct node *n, const char *name)
{
    return node_is_open(n) && json_is_true(json_object_get(json_object_get(n->status, "peer"), name));
}

bool nodes_are_paired(const struct supervisor *s)
{
    return peer_flag(&s->nodes[0], "paired") && peer_flag(&s->nodes[1], "paired");
}

bool nodes_are_federated(const struct supervisor *s)
{
    return peer_flag(&s->nodes[0], "importing") && peer_flag(&s->nodes[0], "exporting") &&
           peer_flag(&s->nodes[1], "importing") && peer_flag(&s->nodes[1], "exporting");
}

bool node_is_blocked(const struct node *n)
{
    return n->blocked != 0 && n->blocked == process_generation(n->process);
}

bool node_is_current(const struct node *n, uint64_t since)
{
    return !node_is_open(n) || node_is_blocked(n) || (!n->pending && n->asked_at >= since);
}

bool nodes_are_federated_since(const struct supervisor *s, uint64_t since)
{
    return s->federated && nodes_are_federated(s) && node_is_current(&s->nodes[0], since) &&
           node_is_current(&s->nodes[1], since);
}

bool node_is_silent(const struct node *n)
{
    return node_is_open(n) && n->unheard != 0 && clock_monotonic_ms() - n->unheard >= SILENT_MS;
}

bool nodes_are_both(const struct supervisor *s, enum process_state state)
{
    return process_state(s->nodes[0].process) == state && process_state(s->nodes[1].process) == state;
}

enum status nodes_check_idle(const struct supervisor *s, struct error *e)
{
    if (s->provision != NULL || s->deriving || s->change != NULL || s->reset != RESET_NONE || s->backup.taking ||
        s->stopping)
        return error_set(e, STATUS_CONFLICT, "BUSY",
                         "another provision, deprovision, change of the secret or beginning of a backup is under way");
    return STATUS_OK;
}

bool autostart_is_under_way(const struct supervisor *s)
{
    return s->autostart.state == AUTOSTART_ASKING || s->autostart.state == AUTOSTART_OPENING;
}
