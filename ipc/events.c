// Every event that there is. The reference in docs/ipc.md is written from this table, and a test compares them.
#include "ipc/events.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/near.h"

enum { LETTERS_PER_SLIP = 3 };

const struct ipc_event_name IPC_EVENTS[] = {
    {"node.started", "pid", "A node process was started."},
    {"node.ready", "pid", "It answers."},
    {"node.provisioned", "personId, instanceId, url", "It opened its store and is running."},
    {"node.restored", "", "Its store was made anew; the other own node has given everything back."},
    {"node.stopped", "pid", "It ended because it was told to."},
    {"node.died", "pid, status, signal, reason", "It ended without being told to; it is started again."},
    {"node.failed", "deaths", "It died too often; 'tandem restart NODE' tries again."},
    {"secret.changed", "", "Another secret opens the installation from now on."},
    {"backup.started", "backup", "Both nodes copy their databases for a backup."},
    {"backup.progress", "backup, done, total", "It goes on; bytes."},
    {"backup.done", "backup, objects, bytes, newBytes", "It is complete."},
    {"backup.failed", "backup, code", "It was given up; the one before is as good as it was."},
    {"nodes.federated", "milliseconds", "CHUM runs both ways between our two nodes."},
    {"nodes.separated", "", "It no longer does."},
    {"supervisor.stopping", "reason", "Everything is being stopped."},
    {"stream.gap", "lost", "This many events were lost before this one."},
    {"connection.opened", "id, url, direction, transport", "A socket is open."},
    {"connection.state", "id, state, from, ms", "A connection went on to another state."},
    {"connection.closed", "id, reason, origin, code, state, protocol, personId, bytesSent, bytesReceived",
     "A connection is closed; state is closed, or failed for an error."},
    {"connection.refused", "address, reason, count", "Somebody was turned away before a connection existed."},
    {"budget.exceeded", "personId, class, kind, count",
     "Peers were refused more than their budget has, so many times since the last such event about them; without "
     "personId "
     "they are strangers."},
    {"person.verified", "id, personId, instanceId", "A peer proved who it is."},
    {"key.mismatch", "id, personId", "A peer showed another key than we know for it."},
    {"instance.twice", "personId, instanceId, own, code, seenBy",
     "Two copies of one instance run with the same keys: of this node (own), as seenBy says, or of another one that we "
     "met. Told again "
     "after ten quiet minutes."},
    {"pairing.accepted", "personId, instanceId, safety", "A new contact by pairing; compare the safety text."},
    {"safety.changed", "personId, instanceId, safety",
     "A contact has other keys, or a device that is new here: compare the text."},
    {"pairing.waiting", "waiting, url, until, code, reason",
     "An invitation was accepted whose peer cannot be reached; it is tried again until then."},
    {"pairing.done", "waiting, personId", "An invitation that waited has made its contact."},
    {"pairing.failed", "reason, code, personId, id",
     "A pairing failed: with whom the other side said to be. EP-KEYMISSMATCH and UNKNOWN-INSTANCE: a contact with "
     "other "
     "keys or on a device that is new here. OWN-PERSON: somebody with the e-mail of one of our own nodes."},
    {"invitation.expired", "", "An invitation was not used in time."},
    {"contact.added", "personId", "A contact was stored."},
    {"contact.changed", "personId",
     "What is kept here of a contact changed: its name, or whether it is enabled. Its own profile is version.changed, "
     "type Profile."},
    {"contact.forgotten", "personId", "A contact was removed."},
    {"chum.started", "id, personId, direction", "Synchronising with a person runs in this direction (in or out)."},
    {"chum.stopped", "id, personId, direction", "It no longer does."},
    {"sync.completed", "id, personId, objects, bytes, ms", "A pass over a person's roots found everything stored."},
    {"sync.failed", "id, personId, code, reason, hash", "One root could not be taken over; the others go on."},
    {"sync.stuck", "id, personId, code, reason, idHash",
     "The versions of something fail again and again, the last one with this code; they are tried again, every five "
     "minutes in the end."},
    {"object.received", "hash, type, personId",
     "An object from a peer was stored; not told of what posts and versions bring along."},
    {"objects.received", "count, personId", "So many objects were stored together: told instead of each."},
    {"object.stored", "hash, type", "A local object was stored; likewise. The type of files is empty."},
    {"objects.stored", "count", "So many local objects were stored together: told instead of each."},
    {"version.changed", "idHash, hash, type",
     "A versioned object has a new current version; of several stored together, the last."},
    {"version.overwritten", "idHash, type, property, value, cut, hash",
     "Two sides wrote the same at the same time, and one value is not current: JSON, its beginning if cut; null: it "
     "had "
     "been removed. hash is the version that holds it."},
    {"chat.received", "id, sender, channel", "A chat message of somebody else appeared in a channel."},
    {"chat.sent", "id, channel", "A local chat message was stored."},
    {"chat.deleted", "deleted, id", "The user deleted so many messages, or the one with this id."},
    {"deletion.progress", "freed, done",
     "The bytes of so many deleted messages were taken away so far; done: of all that may go now."},
    {"object.deleted", "hash", "The user deleted an object or a file."},
    {"message.state", "id, state, personId, why",
     "A message of ours got further: pending, archived, delivered (to the person) or failed, with why. Each node tells "
     "of "
     "what it knows; the sparse node of what its archive delivered, too."},
    {"intent.failed", "opId, code, why", "What the archive was left to do, and is no message, was refused there."},
    {"clock.ahead", "personId, channel, timestamp",
     "A person's node brought an entry that is of a time more than a day from now, and the later ones are put below "
     "it: "
     "its clock may be wrong. Told once of each person until the node is restarted."},
    {"channel.changed", "channel", "A channel has new entries."},
    {"topic.added", "hash", "A Topic object was stored."},
    {"blob.received", "hash, size, personId", "A file from a peer was stored."},
    {"share.changed", "hash, personId or groupId", "Access was given or taken."},
    {"share.withheld", "personId, type, hash",
     "A person's node cannot take over objects of this type, or with no type this one; it is offered again later."},
    {"store.repaired", "lost, rebuilt", "Damage was found and repaired as far as possible."},
    {"store.failed", "code", "The disk is full, read-only or failing."},
    {"listener.changed", "type, url, state", "A listener or relay registration went up or down."},
    {"error.reported", "kind, code, severity, id", "An error that nobody waits for."},
    {"alert.raised", "rule, value, limit", "A limit of the settings alert.* is passed; rule is noSync or errors."},
    {"alert.cleared", "rule, value, limit", "It is kept again."},
    {"job.progress", "jobId, done, total", "Long work goes on."},
};

const size_t IPC_EVENT_COUNT = sizeof IPC_EVENTS / sizeof *IPC_EVENTS;

// ---- In the log ----------------------------------------------------------------------------------------------------

enum { FIELDS_MAX = 16 };

// What is not here is told at level info. Words are those people search for.
static const struct line {
    const char *event;
    enum log_level level;
    const char *words;
} lines[] = {
    {"object.received", LOG_DEBUG, NULL},
    {"objects.received", LOG_DEBUG, NULL},
    {"object.stored", LOG_DEBUG, NULL},
    {"objects.stored", LOG_DEBUG, NULL},
    {"version.changed", LOG_DEBUG, NULL},
    {"channel.changed", LOG_DEBUG, NULL},
    {"connection.state", LOG_DEBUG, NULL},
    {"job.progress", LOG_DEBUG, NULL},
    {"backup.progress", LOG_DEBUG, NULL},
    {"keys.changed", LOG_DEBUG, NULL},
    {"outbox.waiting", LOG_DEBUG, NULL},
    {"connection.refused", LOG_WARN, NULL},
    {"budget.exceeded", LOG_WARN, NULL},
    {"key.mismatch", LOG_WARN, NULL},
    {"safety.changed", LOG_WARN, NULL},
    {"pairing.failed", LOG_WARN, NULL},
    {"sync.failed", LOG_WARN, "CHUM sync failed"},
    {"sync.stuck", LOG_WARN, NULL},
    {"share.withheld", LOG_WARN, NULL},
    {"intent.failed", LOG_WARN, NULL},
    {"clock.ahead", LOG_WARN, NULL},
    {"store.repaired", LOG_WARN, NULL},
    {"store.failed", LOG_ERROR, NULL},
    {"alert.raised", LOG_WARN, NULL},
    {"node.died", LOG_ERROR, NULL},
    {"node.failed", LOG_ERROR, NULL},
    {"sync.completed", LOG_INFO, "CHUM sync done"},
};

static bool is_called(const struct ipc_event_name *event, const char *type)
{
    size_t n = strlen(type);
    return strncmp(event->name, type, n) == 0 && (event->name[n] == '\0' || event->name[n] == '.');
}

// As a whole name, or as a kind.
static size_t slips_of(const struct ipc_event_name *event, const char *type)
{
    char kind[32];
    snprintf(kind, sizeof kind, "%.*s", (int)strcspn(event->name, "."), event->name);
    size_t whole = near_slips(type, event->name);
    size_t alone = near_slips(type, kind);
    return whole < alone ? whole : alone;
}

enum status ipc_event_type_check(const char *type, struct error *e)
{
    const struct ipc_event_name *nearest = NULL;
    size_t least = strlen(type) / LETTERS_PER_SLIP;
    for (size_t i = 0; i < IPC_EVENT_COUNT; i++) {
        size_t slips = slips_of(&IPC_EVENTS[i], type);
        if (is_called(&IPC_EVENTS[i], type))
            return STATUS_OK;
        if (slips <= least && (nearest == NULL || slips < least)) {
            least = slips;
            nearest = &IPC_EVENTS[i];
        }
    }
    if (nearest == NULL)
        return error_set(
            e, STATUS_NOT_FOUND, "NOT-FOUND",
            "there are no events '%.60s'; docs/ipc.md lists them, such as chat.received, or chat for all that "
            "begin so",
            type);
    size_t shown = strchr(type, '.') != NULL ? strlen(nearest->name) : strcspn(nearest->name, ".");
    return error_set(e, STATUS_NOT_FOUND, "NOT-FOUND", "there are no events '%.60s'; did you mean '%.*s'?", type,
                     (int)shown, nearest->name);
}

static struct line line_of(const char *event)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strcmp(lines[i].event, event) == 0)
            return lines[i];
    return (struct line){event, LOG_INFO, NULL};
}

// The beginning of an invitation; what users wrote.
static bool is_private(const char *member)
{
    return strcmp(member, "waiting") == 0 || strcmp(member, "value") == 0;
}

void ipc_event_log(const char *name, const json_t *data)
{
    struct log_field fields[FIELDS_MAX + 1];
    struct line line = line_of(name);
    size_t count = 0;
    if (!log_wants(line.level))
        return;
    const char *key;
    json_t *value;
    if (line.words != NULL)
        fields[count++] = LOG_TEXT("text", line.words);
    json_object_foreach((json_t *)data, key, value)
    {
        if (count == FIELDS_MAX)
            break;
        if (is_private(key))
            continue;
        if (json_is_string(value))
            fields[count++] = LOG_SPAN(key, ((struct span){json_string_value(value), json_string_length(value)}));
        else if (json_is_integer(value))
            fields[count++] = LOG_INT(key, json_integer_value(value));
    }
    fields[count] = (struct log_field){.name = NULL};
    log_write(line.level, name, fields);
}
