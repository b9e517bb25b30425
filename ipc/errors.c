// Errors cross processes as JSON with code and number. A code that this program does not know is branched on by its
// number, so that one of a newer program still means something.
#include "ipc/errors.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

const struct ipc_code IPC_CODES[] = {
    // The protocol itself. The numbers below -32000 are the standard's.
    {"BAD-JSON", -32700, IPC_EXIT_FAILED, STATUS_INVALID, "Send one JSON-RPC 2.0 request object as UTF-8 text."},
    {"BAD-REQUEST", -32600, IPC_EXIT_FAILED, STATUS_INVALID,
     "A request is {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":{}}; see docs/ipc.md."},
    {"UNKNOWN-METHOD", -32601, IPC_EXIT_FAILED, STATUS_NOT_FOUND, "docs/ipc.md lists the methods."},
    {"BAD-PARAMS", -32602, IPC_EXIT_USAGE, STATUS_INVALID,
     "The message says what is wrong; docs/ipc.md lists the parameters of each method."},
    {"INTERNAL", -32603, IPC_EXIT_FAILED, STATUS_INTERNAL, "This is a bug in tandem; please report it with the log."},

    // 1xx: failed.
    {"FAILED", 100, IPC_EXIT_FAILED, STATUS_IO, "The log says more: tandem log."},
    {"IO", 101, IPC_EXIT_FAILED, STATUS_IO, "The message names the file or system call that failed."},
    {"NOT-FOUND", 102, IPC_EXIT_FAILED, STATUS_NOT_FOUND, "Check the name or id; lists show what exists."},
    {"EXISTS", 103, IPC_EXIT_FAILED, STATUS_EXISTS, "It exists already; use it or choose another name."},
    {"ALREADY-RUNNING", 104, IPC_EXIT_FAILED, STATUS_CONFLICT, "Stop the other one with 'tandem down'."},
    {"BUSY", 105, IPC_EXIT_FAILED, STATUS_CONFLICT, "Wait for the call in flight, then try again."},
    {"PORT-TAKEN", 106, IPC_EXIT_FAILED, STATUS_CONFLICT,
     "Stop the program that listens there, or choose another port with --listen HOST:PORT."},
    {"STORE-MISSING", 107, IPC_EXIT_FAILED, STATUS_NOT_FOUND,
     "Make a new one with provision --recreate archive|sparse, or put a backup in its place: tandem restore DIR."},
    {"STORE-CORRUPT", 108, IPC_EXIT_FAILED, STATUS_CORRUPT,
     "'tandem repair --node NODE' makes a database anew from what is left, 'tandem provision --recreate NODE' a store "
     "from "
     "what the other node has; installation.json has a copy, installation.json.copy."},
    {"STORE-LOCKED", 109, IPC_EXIT_FAILED, STATUS_CONFLICT, "Another process uses this store; stop it first."},
    {"STATE-TOO-NEW", 110, IPC_EXIT_FAILED, STATUS_CONFLICT,
     "This state was written by a newer tandem; install that version. Nothing was changed."},
    {"DISK-FULL", 111, IPC_EXIT_FAILED, STATUS_FULL, "Free some space; nothing that was acknowledged is lost."},
    {"DISK-READ-ONLY", 112, IPC_EXIT_FAILED, STATUS_IO, "Remount the file system writable or use another --state-dir."},
    {"NOT-PROVISIONED", 113, IPC_EXIT_FAILED, STATUS_CONFLICT,
     "Run 'tandem provision', the first time with --user NAME."},
    {"NODE-DOWN", 114, IPC_EXIT_FAILED, STATUS_CLOSED,
     "The node is starting or has failed; see 'tandem status', then 'tandem restart NODE'."},
    {"NOT-A-NODE", 115, IPC_EXIT_FAILED, STATUS_INVALID, "The address answers, but not as a ONE or tandem node."},
    {"UNREACHABLE", 116, IPC_EXIT_FAILED, STATUS_IO, "Check the address, the network and that the peer runs."},
    {"TOO-BIG", 117, IPC_EXIT_FAILED, STATUS_TOO_BIG, "A limit was passed; the message names it."},
    {"BAD-KEY-FILE", 118, IPC_EXIT_FAILED, STATUS_CORRUPT,
     "Put the file that the message names back from a backup, or keys.json from keys.json.copy. A node's own key files "
     "come back with its kept keys when it is "
     "made anew: provision --recreate NODE; without DIR/NODE.keys it gets new ones."},
    {"BAD-CONFIG", 119, IPC_EXIT_FAILED, STATUS_INVALID, "The message names the file, the line and the key."},
    {"CLOSED", 120, IPC_EXIT_FAILED, STATUS_CLOSED, "The other side went away; try again."},
    {"NOT-LISTENING", 121, IPC_EXIT_FAILED, STATUS_CONFLICT,
     "Ask the archive node, with 'tandem listener start' if that was stopped, or tandem up --listen HOST:PORT; or "
     "register "
     "with a relay: tandem up --relay URL, tandem invite --via relay."},
    {"NO-RELAY", 122, IPC_EXIT_FAILED, STATUS_CONFLICT, "Start with tandem up --relay URL."},
    {"HOSTS-MISSING", 123, IPC_EXIT_FAILED, STATUS_INVALID,
     "Name the hosts by which it is reached: tandem up --host NAME, or listen.hosts in tandem.conf."},
    {"BAD-ADDRESS", 124, IPC_EXIT_FAILED, STATUS_INVALID, "Use an address of this machine, as HOST:PORT."},
    {"TLS-FAILED", 125, IPC_EXIT_FAILED, STATUS_REFUSED,
     "Check the peer's certificate; tls.ca_file in tandem.conf names further authorities."},
    {"CONNECTION-LOST", 126, IPC_EXIT_FAILED, STATUS_CLOSED, "The network or the peer went away; try again."},
    {"PEER-CLOSED", 127, IPC_EXIT_FAILED, STATUS_CLOSED, "The peer ended the connection; its log may say why."},
    {"BLOB-UNAVAILABLE", 128, IPC_EXIT_FAILED, STATUS_NOT_FOUND, "Its node is away; try again when it is connected."},
    {"STORE-FAILED", 129, IPC_EXIT_FAILED, STATUS_IO, "See 'tandem log'; 'tandem doctor' checks disk and store."},
    {"OUT-OF-MEMORY", 130, IPC_EXIT_FAILED, STATUS_FULL,
     "Close other programs, or allow more locked memory: ulimit -l."},
    {"OBJECT-DAMAGED", 131, IPC_EXIT_FAILED, STATUS_CORRUPT,
     "'tandem repair' fetches it from another node that has it, and says what nobody has."},
    {"FILE-LIMIT", 132, IPC_EXIT_FAILED, STATUS_FULL,
     "Allow more open files: ulimit -n, or LimitNOFILE= of the systemd unit."},
    {"RELAY-LOST", 133, IPC_EXIT_FAILED, STATUS_CLOSED,
     "The relay or the network went away; the node registers again by itself."},
    {"LOCKED", 134, IPC_EXIT_FAILED, STATUS_CONFLICT,
     "Another process uses this folder; the message names it. Stop it first."},
    {"SANDBOX", 135, IPC_EXIT_FAILED, STATUS_IO,
     "This system forbids seccomp or Landlock; allow them for the container or user."},
    {"OR-GR1", 136, IPC_EXIT_FAILED, STATUS_NOT_FOUND,
     "Register the type first: tandem recipe add FILE; tandem recipe list shows what is known."},
    {"DISCOVERY-NOT-BUILT", 137, IPC_EXIT_FAILED, STATUS_NOT_FOUND,
     "Install libavahi-client-dev and build again, or take tandem's package."},
    {"DISCOVERY-UNAVAILABLE", 138, IPC_EXIT_FAILED, STATUS_CLOSED,
     "It needs Avahi: 'apt install avahi-daemon', or 'systemctl start avahi-daemon' where it is stopped. Nothing else "
     "is "
     "to do: it is tried again by itself."},
    {"BACKUP-DAMAGED", 150, IPC_EXIT_FAILED, STATUS_CORRUPT,
     "'tandem backup verify DIR' says what is damaged; an earlier generation may be whole: tandem restore --generation "
     "N."},
    {"INSTANCE-TWICE", 152, IPC_EXIT_FAILED, STATUS_CONFLICT,
     "Stop one of the copies: the original, if it was restored elsewhere. Both write under one name, and each takes "
     "the "
     "connections of the other."},
    {"RESTORE-UNFINISHED", 151, IPC_EXIT_FAILED, STATUS_CONFLICT,
     "Finish it: give the same 'tandem restore DIR' again; what is there already is not copied twice. "
     "Another --generation begins anew."},

    // 2xx: wrong usage.
    {"USAGE", 200, IPC_EXIT_USAGE, STATUS_INVALID, "Every command explains itself with --help."},
    {"SECRET-MISSING", 201, IPC_EXIT_USAGE, STATUS_INVALID,
     "Pipe the secret into stdin, use --secret-file FILE, or run on a terminal."},

    // 3xx: not running.
    {"NOT-RUNNING", 300, IPC_EXIT_NOT_RUNNING, STATUS_CLOSED, "Start it with 'tandem up'."},

    // 4xx: refused.
    {"REFUSED", 400, IPC_EXIT_REFUSED, STATUS_REFUSED, "The message says why; nothing was changed."},
    {"BAD-SECRET", 401, IPC_EXIT_REFUSED, STATUS_REFUSED, "Nothing was changed; try again with the right secret."},
    {"NO-PERMISSION", 402, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "Check the owner and the mode of the file in the message."},
    {"ALREADY-PROVISIONED", 403, IPC_EXIT_REFUSED, STATUS_CONFLICT,
     "Without --user and e-mails 'tandem provision' opens it as it is; for somebody else take another --state-dir."},
    {"EMAILS-EQUAL", 404, IPC_EXIT_REFUSED, STATUS_INVALID,
     "The two nodes are two persons: give them different e-mail addresses."},
    {"BAD-TEXT", 405, IPC_EXIT_REFUSED, STATUS_INVALID, "Text must be valid UTF-8, without the character U+0000."},
    {"BAD-ID", 406, IPC_EXIT_REFUSED, STATUS_INVALID,
     "An id is 64 lower-case hex digits; --json shows all of them. Where that is said, its first 8 or more are "
     "enough."},
    {"AMBIGUOUS-ID", 407, IPC_EXIT_REFUSED, STATUS_INVALID, "Give more digits of the id."},
    {"BAD-INVITATION", 408, IPC_EXIT_REFUSED, STATUS_INVALID,
     "The message says what is wrong with it. An invitation is the JSON or link that 'tandem invite' prints."},
    {"INVITATION-UNKNOWN", 410, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "It was used already, or its node restarted since; ask for a new invitation."},
    {"BAD-OBJECT", 411, IPC_EXIT_REFUSED, STATUS_INVALID, "The message says which property breaks the recipe."},
    {"BAD-INPUT", 413, IPC_EXIT_REFUSED, STATUS_INVALID, "The message says what is wrong with the input."},
    {"CONFIRMATION-MISSING", 414, IPC_EXIT_REFUSED, STATUS_REFUSED, "Add --yes if you really mean it."},
    {"NOT-TRUSTED", 415, IPC_EXIT_REFUSED, STATUS_REFUSED, "Pair with this person first: tandem invite, tandem pair."},
    {"TOO-MANY-INVITATIONS", 417, IPC_EXIT_REFUSED, STATUS_FULL, "Wait until some are used or expired."},
    {"BAD-URL", 418, IPC_EXIT_REFUSED, STATUS_INVALID, "An address begins with ws:// or wss://."},
    {"EP-KEYMISSMATCH", 419, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "Somebody lost the keys and made new ones, or is an impostor. If you asked and it is right, who has the old "
     "contact "
     "does: tandem contact forget PERSON; then pair again."},
    {"EP-PERSONIDMISMATCH", 420, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "The node at that address belongs to another person now; ask for a new invitation and pair again."},
    {"EP-INSTANCEIDMISMATCH", 421, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "The node was set up anew under its old key; ask for a new invitation and pair again."},
    {"EP-KEYS-OWNER-MISMATCH", 422, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "The peer is broken or an impostor; nothing was stored."},
    {"IDENTITY-MISMATCH", 423, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "The peer claimed to be somebody else than it proved to be; nothing was stored."},
    {"INSTANCE-OWNER-MISMATCH", 424, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "The peer is broken or an impostor; nothing was stored."},
    {"OWN-PERSON", 440, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "Whoever has the same e-mail is the same person to everybody. If you both chose it, one of you sets up anew with "
     "another one: tandem deprovision --wipe, tandem provision --user NAME. If not, it is an impostor; nothing was "
     "stored."},
    {"OWN-NODE", 444, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "Both own nodes belong together; 'tandem deprovision --wipe' ends the installation."},
    {"OWN-INVITATION", 443, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "Give it to somebody else: 'tandem pair -' on their side takes it."},
    {"UNKNOWN-INSTANCE", 441, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "Somebody says to be a contact, on another device. If you asked and it is right, who has the contact does: tandem "
     "invite --for PERSON, or tandem pair --for PERSON; otherwise it is an impostor."},
    {"CHALLENGE-REFLECTED", 442, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "The peer tried to have us prove that it is somebody else; nothing was stored."},
    {"PAIRING-OFF", 425, IPC_EXIT_REFUSED, STATUS_REFUSED, "Set peers.pairing to true in tandem.conf and restart."},
    {"OVER-BUDGET", 426, IPC_EXIT_REFUSED, STATUS_FULL,
     "A peer asks for more than it may have at a time; 'tandem status --json' shows who uses what."},
    {"NO-WAY", 427, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "Pair with this person first: tandem invite, tandem pair; 'tandem contacts' shows who is paired with whom."},
    {"LINK-USED", 429, IPC_EXIT_REFUSED, STATUS_REFUSED,
     "Press Enter where 'tandem ui' runs, or run it again: it prints another link."},
    {"OUTBOX-FULL", 428, IPC_EXIT_REFUSED, STATUS_FULL,
     "The archive node has been away for too long; see 'tandem status'. Nothing that waits is lost."},

    // 5xx: timed out.
    {"TIMEOUT", 500, IPC_EXIT_TIMEOUT, STATUS_TIMEOUT,
     "See what became of it before you try again, or wait longer with --timeout SECONDS."},
    {"CONN-TIMEOUT", 501, IPC_EXIT_TIMEOUT, STATUS_TIMEOUT, "The peer is slow, busy or no node; try again."},
    {"PEER-SILENT", 502, IPC_EXIT_TIMEOUT, STATUS_TIMEOUT, "The peer fell silent; try again."},

    // 6xx: known, and not here.
    {"NOT-HERE", 600, IPC_EXIT_NOT_HERE, STATUS_CLOSED,
     "Not here while the archive node is away: see 'tandem status', then 'tandem restart archive'."},
    {"STILL-FETCHING", 601, IPC_EXIT_NOT_HERE, STATUS_TIMEOUT, "It goes on coming; try again in a moment."},
    {"LOST-THERE", 602, IPC_EXIT_NOT_HERE, STATUS_NOT_FOUND,
     "The archive lost it: 'tandem repair --node archive', or put a backup of the archive in its place."},
};

const size_t IPC_CODE_COUNT = sizeof IPC_CODES / sizeof *IPC_CODES;

static const struct {
    enum status status;
    const char *code;
} fallbacks[] = {
    {STATUS_INVALID, "BAD-INPUT"}, {STATUS_NOT_FOUND, "NOT-FOUND"}, {STATUS_EXISTS, "EXISTS"},
    {STATUS_REFUSED, "REFUSED"},   {STATUS_CONFLICT, "BUSY"},       {STATUS_TOO_BIG, "TOO-BIG"},
    {STATUS_TIMEOUT, "TIMEOUT"},   {STATUS_CLOSED, "CLOSED"},       {STATUS_FULL, "BUSY"},
    {STATUS_IO, "FAILED"},         {STATUS_CORRUPT, "FAILED"},      {STATUS_INTERNAL, "INTERNAL"},
    {STATUS_OK, "INTERNAL"},
};

static const struct ipc_code *find_exact(const char *code)
{
    for (size_t i = 0; i < IPC_CODE_COUNT; i++)
        if (strcmp(IPC_CODES[i].code, code) == 0)
            return &IPC_CODES[i];
    return NULL;
}

const struct ipc_code *ipc_code_find(const char *code, enum status status)
{
    const struct ipc_code *row = find_exact(code);
    for (size_t i = 0; row == NULL && i < sizeof fallbacks / sizeof *fallbacks; i++)
        if (fallbacks[i].status == status)
            row = find_exact(fallbacks[i].code);
    return row != NULL ? row : find_exact("INTERNAL");
}

// A message may quote broken text, or be cut within a character.
static json_t *message_text(const struct error *e)
{
    struct buf whole = {0};
    utf8_repair(span_of(e->message), &whole);
    json_t *text = json_stringn(whole.len != 0 ? whole.data : "", whole.len);
    buf_free(&whole);
    return text;
}

json_t *ipc_error_to_json(const struct error *e)
{
    const struct ipc_code *row = ipc_code_find(e->code, e->status);
    const char *code = e->code[0] != '\0' ? e->code : row->code;
    return json_pack("{s:i, s:o, s:{s:s, s:s}}", "code", row->number, "message", message_text(e), "data", "code", code,
                     "hint", row->hint);
}

static enum status status_of_number(json_int_t number)
{
    for (size_t i = 0; i < IPC_CODE_COUNT; i++)
        if (IPC_CODES[i].number == number)
            return IPC_CODES[i].status;
    return STATUS_INTERNAL;
}

enum status ipc_error_from_json(const json_t *object, struct error *e)
{
    const json_t *data = json_object_get(object, "data");
    const char *code = json_string_value(json_object_get(data, "code"));
    const char *message = json_string_value(json_object_get(object, "message"));
    if (code == NULL || message == NULL)
        return error_set(e, STATUS_INTERNAL, "INTERNAL", "the answer holds a malformed error");
    const struct ipc_code *row = find_exact(code);
    enum status status =
        row != NULL ? row->status : status_of_number(json_integer_value(json_object_get(object, "code")));
    return error_set(e, status, code, "%s", message);
}

enum ipc_exit ipc_error_report(const struct error *e, const char *program, bool json)
{
    const struct ipc_code *row = ipc_code_find(e->code, e->status);
    struct buf shown = {0};
    if (json) {
        json_t *document =
            json_pack("{s:{s:s, s:o, s:s}}", "error", "code", e->code, "message", message_text(e), "hint", row->hint);
        json_dumpf(document, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        json_decref(document);
    }
    text_escape_controls(span_of(e->message), &shown);
    fprintf(stderr, "%s: %s (%s)\n%s\n", program, buf_cstr(&shown), e->code, row->hint);
    buf_free(&shown);
    return row->exit;
}
