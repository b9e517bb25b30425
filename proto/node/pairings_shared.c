// What everything that pairs needs: the pairings that a request is for, the identity that it speaks for, and how a
// failure is told.
#include "base/clock.h"
#include "node/json.h"
#include "node/node_internal.h"
#include "node/pairings_internal.h"

void pairings_tell_failed(const struct pairings *ps, const struct hash *person, uint64_t connection,
                          const struct error *why)
{
    json_t *data =
        json_pack("{s:s, s:s, s:o}", "reason", why->message, "code", why->code, "personId", node_json_hash(person));
    if (connection != 0)
        json_object_set_new(data, "id", json_integer((json_int_t)connection));
    node_tell(ps->peers->node, "pairing.failed", data);
    incidents_note(ps->peers->incidents, INCIDENT_PAIRING, connection, why, clock_wall_ms());
}

struct pairings *pairings_of_request(struct node *n, struct ipc_request *r)
{
    struct pairings *ps = node_peers(n) != NULL ? node_peers(n)->pairings : NULL;
    if (ps != NULL)
        return repeats_take(ps->repeats, r) ? NULL : ps;
    struct error e;
    error_set(&e, STATUS_CONFLICT, "NOT-PROVISIONED", "the node has not been provisioned yet");
    ipc_request_fail(r, &e);
    return NULL;
}

struct local *pairings_local(const struct pairings *ps, struct ipc_request *r, struct error *e)
{
    const char *as = ipc_request_text(r, P_as);
    return as != NULL ? peers_local_named(ps->peers, span_of(as), e) : &ps->peers->main;
}
