// The one table of commands: names, arguments, options and help. docs and completions are made from it, too.
#include "supervisor/ctl/commands.h"

#define SECRET                                                                                                         \
    {                                                                                                                  \
        "secret-file", '\0', "FILE", "read the secret from FILE (your own, mode 0600), not from stdin"                 \
    }
#define LIMIT(n)                                                                                                       \
    {                                                                                                                  \
        "limit", '\0', "N", "at most N, default " n                                                                    \
    }

#define YES                                                                                                            \
    {                                                                                                                  \
        "yes", '\0', NULL, "do not ask whether your own other node is meant"                                           \
    }
#define AS                                                                                                             \
    {                                                                                                                  \
        "as", '\0', "IDENTITY", "speak for this one of 'identity list': its e-mail, or 8 or more digits of its id"     \
    }

// clang-format off
const struct ctl_command CTL_COMMANDS[] = {
    {"up", "", 0, 0, "Run the supervisor and both nodes in the foreground",
     "Says so once both nodes answer. The first Ctrl-C or SIGTERM, or closing the terminal, stops everything cleanly, a\n"
     "second one kills the nodes. SIGHUP reopens the log files and reads the settings again.",
     "up --listen localhost:0", CTL_FOREVER, run_up,
     {{"listen", '\0', "HOST:PORT", "the archive's listener, default localhost:8765 or the next free port; port 0 takes any; none: only relays"},
      {"public-url", '\0', "URL", "where others reach it, e.g. wss://home.example.org of a TLS proxy"},
      {"host", '\0', "NAME", "a name by which it may be addressed, needed beyond this machine (may be repeated)"},
      {"relay", '\0', "URL", "register with this relay (may be repeated)"},
      {"config", '\0', "FILE", "read FILE instead of DIR/tandem.conf"},
      {"stdin-lifetime", '\0', NULL, "stop when stdin ends, so that no orphan outlives its parent"},
      {"archive-binary", '\0', "FILE", "another archive node program"},
      {"sparse-binary", '\0', "FILE", "another sparse node program"}}},
    {"provision", "", 0, 0, "Open or create both nodes, pair them, wait until they synchronise",
     "The secret comes from stdin, from --secret-file, or is asked for on a terminal, twice where it is new. It\n"
     "encrypts the keys of both nodes; nobody can recover it. Doing it again with the same user and secret changes\n"
     "nothing. XXXXXXXX are 8 random characters, kept in the installation: one e-mail is one person.",
     "provision --user joe", 60, run_provision,
     {{"user", '\0', "NAME", "owner, and what both profiles are called; needed the first time"},
      {"archive-email", '\0', "E", "e-mail of the archive's person, default node-NAME-XXXXXXXX@lama.local"},
      {"sparse-email", '\0', "E", "e-mail of the sparse node's person, default NAME-XXXXXXXX@lama.local"},
      {"no-wait", '\0', NULL, "return when the nodes are paired, before they synchronise"},
      {"recreate", '\0', "archive|sparse", "make a lost store anew; the other node gives everything back"}, SECRET}},
    {"secret change", "", 0, 0, "Protect the keys of both nodes with another secret",
     "The old secret and the new one come from the first two lines of stdin, from files, or are asked for on a terminal.\n"
     "It happens as a whole or not at all, whatever fails on the way; connections stay open.",
     "secret change --secret-file old.txt --new-secret-file new.txt", 30, run_secret_change,
     {SECRET, {"new-secret-file", '\0', "FILE", "read the new secret from FILE (your own, mode 0600)"}}},
    {"deprovision", "", 0, 0, "Forget the keys in memory and start fresh, unprovisioned nodes",
     "With --wipe both stores and the keys are deleted for ever.",
     "deprovision --wipe --yes", 30, run_deprovision,
     {{"wipe", '\0', NULL, "delete both stores and the keys"}, {"yes", '\0', NULL, "do not ask"}}},
    {"status", "", 0, 0, "Show everything at a glance",
     "Whether supervisor and nodes run, what the nodes hold, where the archive listens, whether the two synchronise\n"
     "(federated), and what each part says of itself. --watch looks every second until Ctrl-C, or until the supervisor\n"
     "ends: on a terminal the picture is renewed, elsewhere, and with --json, what has changed is printed again.",
     "status --watch", 30, run_status, {{"watch", '\0', NULL, "go on, and show what changes"}}},
    {"wait", "ready|federated|idle", 1, 1, "Return when it is so",
     "ready: both nodes answer. federated: they synchronise both ways. idle: and nothing is left to transfer. A supervisor\n"
     "that has not begun yet is waited for, too.",
     "wait federated --timeout 10", 30, run_wait, {{0}}},
    {"restart", "archive|sparse", 1, 1, "Restart one node", "Also brings back a node that has failed.",
     "restart sparse", 30, run_restart, {{0}}},
    {"listener stop", "", 0, 0, "Shut the archive's listener",
     "Nobody dials the archive any more; it dials others and is met at relays as before. It stays shut, also after restarts,\n"
     "until 'tandem listener start'. Connections end, as the archive is restarted for it.",
     "listener stop", 30, run_listener, {{0}}},
    {"listener start", "", 0, 0, "Open the archive's listener again",
     "Where it was before. The archive is restarted for it.", "listener start", 30, run_listener, {{0}}},
    {"down", "", 0, 0, "Stop both nodes and the supervisor",
     "As Ctrl-C does where 'tandem up' runs. Returns when everything is stopped; nothing that was acknowledged is lost.", "down", 30, run_down, {{0}}},
    {"ui", "", 0, 0, "Show this installation as a page in a browser of this machine",
     "Prints a link that opens the page once, and serves it until Ctrl-C. Enter makes another link. Nobody without the link\n"
     "gets in, and the page is reached from this machine only. It cannot end, wipe or restore anything.",
     "ui", CTL_FOREVER, run_ui,
     {{"listen", '\0', "HOST:PORT", "where to listen on this machine; default: the setting ui.listen"},
      {"stdin-lifetime", '\0', NULL, "stop when stdin ends; a line on it makes another link"}}},
    {"demo", "", 0, 0, "Show the whole path on a temporary installation",
     "Starts, provisions and pairs two nodes on a free port, sends a chat message each way and a file, measures, and\n"
     "cleans up.",
     "demo", 60, run_demo, {{"keep", '\0', NULL, "keep the installation and leave it running"}}},
    {"simulate", "(FILE | NAME | --list)", 0, 1, "Run a federation of many installations, with trouble, and say what held",
     "FILE tells who is there, who pairs with whom, what is said, what goes wrong and what must hold (docs/simulate.md);\n"
     "NAME is one of --list. All of it is real and lies in a folder of its own, which is removed when it passed; of what\n"
     "failed the logs are kept. Exit status 1: something that was expected did not hold.",
     "simulate three-friends --junit result.xml", CTL_FOREVER, run_simulate,
     {{"list", '\0', NULL, "list the scenarios that come with tandem"},
      {"seed", '\0', "N", "make other choices: what is random comes from it alone; default: that of the file, else 1"},
      {"junit", '\0', "FILE", "write the result as JUnit XML"}, {"tap", '\0', NULL, "print the result as TAP"},
      {"plan", '\0', NULL, "only check the file and print what would happen when"},
      {"dir", '\0', "DIR", "where to put the installations, default $TMPDIR, else /tmp"},
      {"keep", '\0', NULL, "keep the installations and logs also when it passed"}}},
    {"relay", "--listen HOST:PORT", 0, 0, "Run a relay (commserver) in the foreground",
     "Others register with it ('tandem up --relay URL') and are met there, without a port of their own. It learns who meets\n"
     "whom and when, and nothing of what is said. docs/relay.md has a recipe.", "relay --listen localhost:8000", CTL_FOREVER,
     run_relay, {{"listen", '\0', "HOST:PORT", "where to listen"},
                 {"cluster", '\0', "URL", "NATS server that joins several relays"}}},

    {"invite", "", 0, 0, "Make an invitation for another ONE node",
     "It can be used once, until it expires. Hand it over on a way you trust: whoever holds it becomes a contact.",
     "invite --qr", 30, run_invite,
     {{"via", '\0', "direct|relay", "which way it leads; default: direct"}, {"ttl", '\0', "SECONDS", "valid that long; default: the setting peers.invitation_s"},
      {"keep", '\0', NULL, "it survives a restart of the node"}, {"qr", '\0', NULL, "show it as a QR code"},
      {"qr-file", '\0', "FILE", "write the QR code as a picture, .svg or .png"}, {"link", '\0', NULL, "print it as a link"},
      {"for", '\0', "PERSON", "only for this person, who may be a contact with a new device"}, AS}},
    {"invite list", "", 0, 0, "List the invitations nobody has used yet",
     "INVITATION is what 'invite revoke' takes. KEPT: it survives a restart of the node. IN USE: a pairing with it is under way.", "invite list", 30, run_invite_list, {{0}}},
    {"invite revoke", "INVITATION", 1, 1, "Take back an invitation",
     "INVITATION is what 'invite list' shows of it, or its whole token.", "invite revoke 4fX_b8-3kQ0z", 30,
     run_invite_revoke, {{0}}},
    {"pair", "INVITATION", 1, 1, "Accept an invitation",
     "INVITATION is the JSON or the link that 'tandem invite' or a LAMA app shows, or - to read it from stdin, which\n"
     "keeps it out of the shell's history and the process list: a whole mail will do, however it was folded or quoted.\n"
     "Both sides then see the same safety text: compare it.",
     "pair - <invitation.json", 60, run_pair,
     {{"for", '\0', "PERSON", "it is this person's, who may be a contact with a new device"}, AS,
      {"wait", '\0', NULL, "when the peer cannot be reached, go on trying for seven days, also after restarts"},
      {"wait-for", '\0', "SECONDS", "go on that long"}}},
    {"pair list", "", 0, 0, "List accepted invitations that wait for their peers",
     "WAITING is what 'pair cancel' takes. It is tried again at NEXT, and given up at UNTIL; WHY the last try failed.", "pair list", 30, run_pair_list, {{0}}},
    {"pair cancel", "WAITING", 1, 1, "Wait for a peer no more", "WAITING is what 'pair list' shows of it.",
     "pair cancel 4fX_b8-3kQ0z", 30, run_pair_cancel, {{0}}},
    {"contacts", "", 0, 0, "List the people we know, and who of us is paired with them",
     "LEVEL is connected, seen (it was connected before), paired (it never was), or unknown: nobody of us is paired with it.\n"
     "Compare SAFETY with what the other side sees. AS, which of your identities it knows, stands there when there are several.",
     "contacts", 30, run_contacts, {AS}},
    {"contact name", "PERSON NAME", 2, 2, "Give a person a name of your own",
     "Both own nodes keep it, nobody else is told, and commands take it for the person. \"\" takes it back.",
     "contact name 59b85c5b \"Anna from work\"", 30, run_contact_name, {{0}}},
    {"contact forget", "PERSON", 1, 1, "Forget a contact's keys and close its connections",
     "To talk again both sides have to pair again. A contact of several of your identities is forgotten for all of them, with\n"
     "--as for that one alone. With --wipe what was said until now is deleted too, with the files and\n"
     "objects that only this person gave; then the id is given whole. The person keeps its copies.",
     "contact forget 59b85c5b", 30, run_contact_change, {{"wipe", '\0', NULL, "also delete the conversation"}, YES, AS}},
    {"contact enable", "PERSON", 1, 1, "Allow connections with a person again",
     "Takes back 'contact disable'.", "contact enable 59b85c5b", 30,
     run_contact_change, {AS}},
    {"contact disable", "PERSON", 1, 1, "Close and refuse connections with a person",
     "It stays a contact, and keys and conversations stay. 'contact enable' takes it back.", "contact disable 59b85c5b",
     30, run_contact_change, {YES, AS}},
    {"enable", "PERSON", 1, 1, "The same as 'contact enable'",
     "Takes back 'disable'.", "enable 59b85c5b", 30, run_contact_change, {{0}}},
    {"disable", "PERSON", 1, 1, "The same as 'contact disable'",
     "It stays a contact, and keys and conversations stay. 'enable' takes it back.", "disable 59b85c5b", 30, run_contact_change, {YES}},
    {"endpoints", "", 0, 0, "List the instances of all contacts and how they are reached",
     "Says which are connected, which are dialled when, and which have to come by themselves.", "endpoints", 30,
     run_endpoints, {{0}}},
    {"connections", "", 0, 0, "List the connections",
     "DIR is in or out: who dialled. LATENCY is how long the peer took for its last answer.", "connections --ended --node archive", 30,
     run_connections, {{"ended", '\0', NULL, "also those that have ended or could not be dialled"}}},

    {"discovery on", "", 0, 0, "Let others in the local network find the archive, and look for theirs",
     "Announces the archive's listener by mDNS as a service _one._tcp, under a name made at random: its port, nothing of whose\n"
     "it is. It stays so, also after restarts, until 'tandem discovery off'; it is the setting discovery.on. Nobody may do more\n"
     "than before: a connection still wants an invitation. Needs Avahi: apt install avahi-daemon.",
     "discovery on", 30, run_discovery_switch, {{0}}},
    {"discovery off", "", 0, 0, "Withdraw the announcement, and look for nobody",
     "Others are told at once that it is gone. It stays so until 'tandem discovery on'.", "discovery off", 30, run_discovery_switch, {{0}}},
    {"discovery list", "", 0, 0, "List the listeners that the local network has",
     "What they say of themselves: nobody has proved anything, and a name is no person. OWN is this installation. To become\n"
     "contacts one of the two makes an invitation: 'tandem invite'.", "discovery list", 30, run_discovery_list, {{0}}},

    {"chat send", "--to PERSON [TEXT]", 0, 1, "Send a message to a person",
     "It is stored when the command returns, and delivered as soon as the person can be reached, whether this program,\n"
     "its user interface or a node runs then or not. It is pending until the archive node has it, archived then, and\n"
     "delivered once the person's node has stored it. Without --node it goes by the node that is paired with the person.\n"
     "TEXT may be -: then all of stdin is the message. With --stdin many lines are under way at once, in their order. The\n"
     "first that fails ends it, and the error says which it was, and of which others there was no answer: they may have been\n"
     "stored. What was stored of those behind it is told all the same.",
     "chat send --to 59b85c5b 'hello' --attach photo.jpg", 30, run_chat_send,
     {{"to", '\0', "PERSON", "who: name, e-mail, or 8 or more digits of the id"},
      {"attach", '\0', "FILE", "send a file along (may be repeated)"},
      {"thumbnail", '\0', "FILE", "a small picture of the file before it"},
      {"stdin", '\0', NULL, "one message per line of stdin"},
      {"wait", '\0', NULL, "return when it is delivered"}, AS}},
    {"chat list", "--with PERSON", 0, 0, "Show the latest messages with a person",
     "Behind the time stands the id, for --before and 'tandem trace'; then who wrote it. Own messages that are not\n"
     "delivered yet say how far they are. On a terminal what is shown is read.", "chat list --with anna --limit 20", 30,
     run_chat_list, {{"with", '\0', "PERSON", "who: name, e-mail, or 8 or more digits of the id"}, LIMIT("50"),
                     {"before", '\0', "ID", "only messages older than this one"}, AS}},
    {"chat follow", "--with PERSON", 0, 0, "Show messages with a person as they arrive",
     "Begins with what comes from now on, and goes on until Ctrl-C, also when a node is restarted meanwhile. On a terminal what\n"
     "is shown is read.", "chat follow --with 59b85c5b",
     CTL_FOREVER, run_chat_follow, {{"with", '\0', "PERSON", "who: name, e-mail, or 8 or more digits of the id"}, AS}},
    {"chat search", "TEXT", 1, 1, "Find messages that hold a text, in all chats", "Case does not matter. The newest come first.",
     "chat search 'ice cream'", 60, run_chat_search, {LIMIT("20"), AS}},
    {"chat delete", "(ID | --with PERSON | --topic TOPIC)", 0, 1, "Delete a message, or a conversation, with its files",
     "It is gone on both own nodes, also on one that is away now, and stays gone whoever offers it again. Its bytes leave the\n"
     "disk once everybody it was for has it. Other people keep their copies. With --with or --topic the whole conversation is\n"
     "deleted, but what comes later; 'tandem chat export' keeps it in files before. Ids are given whole.",
     "chat delete 5d41402abc4b2a76…", 30, run_chat_delete,
     {{"with", '\0', "PERSON", "everything said with this person so far"},
      {"topic", '\0', "TOPIC", "everything said in this chat so far"}, {"yes", '\0', NULL, "do not ask"}}},
    {"chat export", "DIR --with PERSON", 1, 1, "Write a conversation into files",
     "DIR must not exist. It gets messages.jsonl, a message a line with names, times and states, and files/ with what was\n"
     "attached.", "chat export --with anna anna-2026", CTL_FOREVER, run_chat_export,
     {{"with", '\0', "PERSON", "who: name, e-mail, or 8 or more digits of the id"}}},
    {"object get", "HASH", 1, 1, "Show an object",
     "HASH is what 'object versions', 'channel read' and 'share list' show. Its members are shown as they are stored: times are\n"
     "milliseconds since 1970.", "object get 4f7fb833", 30, run_object_get, {{0}}},
    {"object current", "IDHASH", 1, 1, "Show the current version of a versioned object",
     "IDHASH names all versions of an object: of a person, a profile, a channel, a group.",
     "object current 4f7fb833", 30, run_object_current, {{0}}},
    {"object versions", "IDHASH", 1, 1, "List the versions of a versioned object, newest first",
     "The first is the current one. HASH is what 'object get' takes; DEPTH is how many versions led to it.",
     "object versions 4f7fb833", 30, run_object_versions, {{0}}},
    {"object put", "", 0, 0, "Store an object read from stdin",
     "The object is JSON with the member $type$; {\"$map\":[[k,v]]}, {\"$set\":[…]} and the like write what JSON lacks.",
     "object put <object.json", 30, run_object_put, {{0}}},
    {"object delete", "HASH|IDHASH", 1, 1, "Delete an object, or a file",
     "A versioned object goes with all its versions, by its id. On both own nodes and for good, until it is stored here\n"
     "again. Nothing may refer to it. Other people keep their copies. The id is given whole.", "object delete 4f7fb833…", 30, run_object_delete, {{0}}},
    {"recipe add", "FILE", 1, 1, "Register a recipe with both nodes", "FILE holds a Recipe object as JSON; - is stdin.",
     "recipe add note.recipe.json", 30, run_recipe_add, {{0}}},
    {"recipe list", "", 0, 0, "List the registered recipes",
     "A recipe says which members the objects of a type have. A node takes over only what it has a recipe of.", "recipe list", 30, run_recipe_list, {{0}}},
    {"blob put", "FILE", 1, 1, "Store a file", "FILE may be - for stdin. Any size: it goes in pieces.",
     "blob put photo.jpg", 30, run_blob_put, {{0}}},
    {"blob get", "HASH", 1, 1, "Get a stored file", "Without -o the bytes go to stdout.", "blob get 4f7fb833 -o photo.jpg",
     30, run_blob_get, {{"output", 'o', "FILE", "write to FILE, which must not exist"}}},
    {"share grant", "(--id IDHASH | --object HASH) (--with PERSON | --group GROUP)", 0, 0, "Let a person or a group read an object or a versioned object",
     "8 or more digits of an id will do. With --group it is for whoever is in the group at the time.",
     "share grant --object HASH --with PERSON", 30, run_share_change,
     {{"id", '\0', "IDHASH", "every version of this object, now and later"},
      {"object", '\0', "HASH", "this one object or file"}, {"with", '\0', "PERSON", "who: name, e-mail, or 8 or more digits of the id"},
      {"group", '\0', "GROUP", "name or id of a group"}}},
    {"share revoke", "(--id IDHASH | --object HASH) (--with PERSON | --group GROUP)", 0, 0, "Take back what share grant gave", "What the person has already, stays there.",
     "share revoke --id IDHASH --with PERSON", 30, run_share_change,
     {{"id", '\0', "IDHASH", "as granted"}, {"object", '\0', "HASH", "as granted"},
      {"with", '\0', "PERSON", "who: name, e-mail, or 8 or more digits of the id"}, {"group", '\0', "GROUP", "name or id of a group"}}},
    {"share list", "", 0, 0, "List what is shared with whom",
     "KIND: object, this one alone, or id, all its versions, also those to come. WITH is who may read it, GROUPS how many\n"
     "groups may, as 'group list' has them.", "share list", 30, run_share_list, {{0}}},
    {"roots", "--for PERSON", 0, 0, "List what a person would be offered",
     "What the person's node is told when it asks, and goes on from. HASH is what 'object get' takes.", "roots --for 59b85c5b", 30, run_roots,
     {{"for", '\0', "PERSON", "who: name, e-mail, or 8 or more digits of the id"}}},

    {"profile get", "[PERSON]", 0, 1, "Show a profile, by default the own",
     "SAYS is what the profile consists of: names, keys, pictures, and where the person's nodes are met.", "profile get", 30, run_profile_get, {AS}},
    {"profile set", "", 0, 0, "Change the own profile", "An empty value removes it.", "profile set --name 'Joe'", 30,
     run_profile_set, {{"name", '\0', "TEXT", "display name"}, {"status", '\0', "TEXT", "status text"},
                       {"organisation", '\0', "TEXT", "organisation"}, {"image", '\0', "HASH", "a stored file"},
                       {"mail", '\0', "ADDRESS", "mail address to show"}, {"phone", '\0', "NUMBER", "phone number"}, AS}},
    {"identity list", "", 0, 0, "List the identities of the archive node", "Those of the sparse node with --node sparse.", "identity list", 30, run_identity_list, {{0}}},
    {"identity add", "EMAIL", 1, 1, "Give the archive node a further identity",
     "A person and an instance with keys of their own, whom others can meet: 'invite --as', 'pair --as', 'chat send --as'.\n"
     "The sparse node gets one with --node sparse.",
     "identity add work@example.org", 30, run_identity_add,
     {{"instance", '\0', "NAME", "of its instance, default: the e-mail"},
      {"name", '\0', "TEXT", "what its profile calls it; by default others see its e-mail"}}},
    {"settings set", "STORE KEY VALUE", 3, 3, "Set a setting that the own nodes share",
     "STORE names the application whose settings they are.", "settings set my.app theme dark", 30, run_settings_set, {{0}}},
    {"settings get", "STORE KEY", 2, 2, "Show a setting",
     "Prints the value alone.", "settings get my.app theme", 30, run_settings_get, {{0}}},
    {"settings list", "STORE", 1, 1, "List the settings of an application",
     "Both own nodes have the same.", "settings list my.app", 30,
     run_settings_list, {{0}}},
    {"group create", "NAME", 1, 1, "Create a group",
     "What is shared with a group is for whoever is in it at the time: 'share grant --group', 'topic create --group'.", "group create friends --person 59b85c5b…", 30,
     run_group_create, {{"person", '\0', "PERSON", "member (may be repeated)"}}},
    {"group add", "GROUP PERSON", 2, 2, "Add a person to a group",
     "GROUP is its name, or 8 or more digits of its id.", "group add friends 59b85c5b", 30,
     run_group_change, {{0}}},
    {"group remove", "GROUP PERSON", 2, 2, "Remove a person from a group",
     "It gets nothing new by this group; what it has stays with it.", "group remove friends 59b85c5b", 30,
     run_group_change, {{0}}},
    {"group list", "", 0, 0, "List the groups with their members",
     "GROUP is what commands take, beside the name.", "group list", 30, run_group_list, {{0}}},
    {"channel create", "ID", 1, 1, "Create a channel",
     "A channel is a list of objects in the order of their times, of one owner or of nobody.", "channel create notes", 30, run_channel_create,
     {{"owner", '\0', "PERSON", "whose it is, or none; default: yourself"}}},
    {"channel post", "ID", 1, 1, "Post an object read from stdin to a channel",
     "The object is JSON with the member $type$, as for 'object put'.", "channel post notes <note.json", 30,
     run_channel_post, {{"owner", '\0', "PERSON", "whose it is, or none; default: yourself"},
                        {"timestamp", '\0', "MS", "milliseconds since 1970, default now"},
                        {"as", '\0', "PERSON", "the identity that signs, default: the main one"}}},
    {"channel read", "ID", 1, 1, "Show the entries of a channel, newest first",
     "Of all owners together, unless --owner names one. SIGNATURE is verified, unsigned or forged. HASH is what 'object get'\n"
     "takes.", "channel read notes", 30,
     run_channel_read, {{"owner", '\0', "PERSON", "whose it is, or none; default: all owners merged"}, LIMIT("50")}},
    {"channel list", "", 0, 0, "List the channels",
     "CHANNEL, or ID, is what 'channel read' and 'channel post' take. Chats have channels, too.", "channel list", 30, run_channel_list, {{0}}},
    {"topic create", "(--with PERSON... | --group GROUP | --everyone)", 0, 0, "Create a group chat, or find the chat with one person or with everyone",
     "All members see what all of them say. With --group, whoever is in that group now takes part. --everyone is for all\n"
     "your contacts: they see what you say there, and you see what they say.\n"
     "Elsewhere a chat is named by its id, the beginning of it, or its name, if there is one of that name; that with one\n"
     "person like the person. If a group and a person are called so, a whole id tells them apart. The id of a group\n"
     "is not \"me\" and not 8 or more hex digits alone, which mean a person.",
     "topic create --name team --with 59b85c5b… --with 8eee9d9f…", 30, run_topic_create,
     {{"name", '\0', "TEXT", "of a group chat"}, {"with", '\0', "PERSON", "who takes part (may be repeated)"},
      {"group", '\0', "GROUP", "name or id of a group"}, {"history", '\0', NULL, "who joins later sees what was said before"},
      {"id", '\0', "ID", "of a group chat; default: made of the name"}, {"everyone", '\0', NULL, "the chat of all contacts"}, AS}},
    {"topic list", "", 0, 0, "List the chats",
     "TOPIC is what 'topic read' and 'topic send' take: of the chat with a person the beginning of the person's id. UNREAD\n"
     "counts among the newest 100 messages.", "topic list", 30, run_topic_list, {AS}},
    {"topic members", "TOPIC", 1, 1, "Show who takes part in a group chat",
     "An owner changes who takes part, a writer says something, a reader reads.", "topic members team", 30, run_topic_members,
     {AS}},
    {"topic add", "TOPIC PERSON…", 2, 64, "Take people into a group chat, or give members another role",
     "For owners of the chat. Who joins sees what was said before only if the chat was made with --history, or with\n"
     "--history here.",
     "topic add team 8eee9d9f…", 30, run_topic_change,
     {{"role", '\0', "writer|reader|owner", "default: writer"}, {"history", '\0', NULL, "they see what was said before"}, AS}},
    {"topic remove", "TOPIC PERSON…", 2, 64, "Take members out of a group chat", "For owners of the chat. They keep what they have and get nothing new.",
     "topic remove team 8eee9d9f…", 30, run_topic_change, {AS}},
    {"topic rename", "TOPIC NAME", 2, 2, "Give a group chat another name", "For owners of the chat.", "topic rename team crew", 30,
     run_topic_rename, {AS}},
    {"topic leave", "TOPIC", 1, 1, "Leave a group chat",
     "What was said stays here, unless --wipe deletes it; then the id is given whole. The others keep their copies. If no\n"
     "owner is left, who may write and is in it longest becomes one.", "topic leave team", 30,
     run_topic_leave, {{"wipe", '\0', NULL, "also delete what was said"}, AS}},
    {"topic export", "TOPIC DIR", 2, 2, "Write a chat into files", "As 'tandem chat export' does.", "topic export team team-2026",
     CTL_FOREVER, run_topic_export, {{0}}},
    {"topic read-up-to", "(TOPIC | --with PERSON)", 0, 1, "Note that a chat was read", "Both own nodes know it then. Without --message up to the newest.",
     "topic read-up-to team", 30, run_topic_read_up_to,
     {{"with", '\0', "PERSON", "the chat with a person"}, {"message", '\0', "ID", "the last one that was read"}, AS}},
    {"topic send", "TOPIC [TEXT]", 1, 2, "Send a message to a chat",
     "TOPIC is a name, an id, or the beginning of one. It is stored when the command returns, and says how far it is; the id\n"
     "behind it is what 'tandem trace' takes.", "topic send team hello", 30, run_topic_send,
     {{"attach", '\0', "FILE", "send a file along (may be repeated)"},
      {"thumbnail", '\0', "FILE", "a small picture of the file before it"}, AS}},
    {"topic read", "TOPIC", 1, 1, "Show the latest messages of a chat",
     "Behind the time stands the id, for --before and 'tandem trace'; then who wrote it. On a terminal\n"
     "what is shown is read.", "topic read team", 30, run_topic_read,
     {LIMIT("50"), {"before", '\0', "ID", "only messages older than this one"}, AS}},
    {"trust list", "[PERSON]", 0, 1, "List keys and whether they are trusted",
     "REASON is why a key counts: it is an own one, or a certificate of somebody whose word counts says so.", "trust list", 30, run_trust_list, {{0}}},
    {"trust certify", "TYPE HASH", 2, 2, "Sign a certificate about an object or a person",
     "TYPE                                               HASH                       --fields\n"
     "AffirmationCertificate                             an object\n"
     "TrustKeysCertificate                               a version of a profile\n"
     "RightToDeclareTrustedKeysForEverybodyCertificate   a person\n"
     "RightToDeclareTrustedKeysForSelfCertificate        a person\n"
     "RelationCertificate                                a person (person2)         app, relation, person1\n"
     "AccessUnversionedObjectCertificate                 an object                  person\n"
     "AccessVersionedObjectCertificate                   a versioned object         person",
     "trust certify AffirmationCertificate 4f7fb833…", 30, run_trust_certify,
     {{"fields", '\0', "JSON", "further properties of the certificate"}}},
    {"trust verify", "HASH", 1, 1, "Show who signed an object",
     "CERTIFICATE is what the issuer said by signing; TRUSTED, whether the key is one that counts; REASON, why: it is an own\n"
     "one (root key), or certified by somebody whose word counts. Otherwise it says what is missing.",
     "trust verify 4f7fb833", 30, run_trust_verify, {{0}}},

    {"id", "", 0, 0, "Show who this node is: ids, e-mail, public keys",
     "Whole, to be compared or copied. Each of the own nodes is a person and an instance of its own: --node archive.", "id --node archive", 30, run_id, {{0}}},
    {"storage", "", 0, 0, "Show what the store holds, by type",
     "KIND: object, id (of a versioned object) or file. STATE: present; remote, the other node has the bytes; wanted, known\n"
     "by its name and missing. The largest come first.", "storage --node archive", 30, run_storage, {{0}}},
    {"storage quota", "[SIZE]", 0, 1, "Show or set how much of files the sparse node keeps",
     "Files that were not used for longest go first, and only those that the archive says to have; they come back when they are\n"
     "read. Without SIZE it says what counts and what is here.", "storage quota 200MB", 30, run_storage_quota, {{0}}},
    {"sync rule", "add|list|remove [RULE]", 1, 2, "Say what the sparse node takes and keeps",
     "add takes one of the options; of several rules of a kind the smallest number counts, and any of the types and topics.\n"
     "What is here already stays. remove takes a rule back: what stayed away for it comes.",
     "sync rule add --size 1MB", 30, run_sync_rule,
     {{"size", '\0', "SIZE", "files up to SIZE come by themselves, bigger ones when they are read"},
      {"type", '\0', "TYPE", "objects of this type of an application stay at the archive"},
      {"topic", '\0', "TOPIC", "only topics of such rules come"},
      {"age", '\0', "DAYS", "files that were not used for so long go, if the archive has them"}}},
    {"events", "", 0, 0, "Show what happened lately",
     "The last 10,000 events, also of before the supervisor was started. With --node only those of that node. With\n"
     "--follow it goes on until Ctrl-C.",
     "--json events --follow --from now --type chat.received | while read -r event; do notify-send 'A message'; done", 30, run_events,
     {{"follow", '\0', NULL, "go on with new events"}, {"type", '\0', "TYPE", "only of this name, or kind: chat, sync, connection"},
      {"from", '\0', "oldest|run|now", "where to begin, default oldest; run: when the supervisor was started"}}},
    {"stats", "", 0, 0, "Show counters of a node since it was started",
     "Rates and means are since then. Bytes count in thousands: 1 kB is 1,000 B. With --history also what happened in\n"
     "each of the last minutes.",
     "stats --history 60 --node archive", 30, run_stats,
     {{"history", '\0', "MINUTES", "how far to look back, at most 1440"}}},
    {"report", "", 0, 0, "Show the counters, all connections and the latest errors of a node",
     "The newest connection comes first, also of those that have ended.", "report --errors pairing", 30, run_report,
     {{"errors", '\0', "connection|auth|encryption|pairing|sync", "only errors of this type"}}},
    {"health", "", 0, 0, "Say in one word how it is",
     "The first line is the word: healthy, degraded (a connection that should be there is not), or offline. Then who is not\n"
     "reached, and what else is wrong. Exit status: 0 healthy, 1 degraded, 3 offline.", "health", 30,
     run_health, {{0}}},
    {"trace", "MESSAGE-ID", 1, 1, "Show a message's way, step by step",
     "AFTER counts from when it was written. Below stands who is to get it, and how far it is with each. MESSAGE-ID is what\n"
     "'chat list' shows; the answer has it whole, as 'chat delete' wants it.", "trace 4f7fb833", 30, run_trace, {{0}}},
    {"log", "", 0, 0, "Show the log",
     "Of the supervisor and both nodes, in the order of their times, also when none of them runs. Ids are short here; --json has\n"
     "the lines as they stand in DIR/log, and these are what --grep looks at.", "log --follow --grep refused", CTL_FOREVER, run_log,
     {{"follow", '\0', NULL, "go on with new lines"}, {"grep", '\0', "PATTERN", "only lines that contain this text"},
      {"lines", '\0', "N", "the last N lines, default 100"}}},
    {"metrics", "", 0, 0, "Print numbers for Prometheus",
     "Of both nodes, as text that Prometheus reads; all names begin with tandem_.", "metrics", 30, run_metrics, {{0}}},
    {"doctor", "", 0, 0, "Check the installation and say what to do", "Works without a running supervisor.", "doctor", 30,
     run_doctor, {{"config", '\0', "FILE", "check FILE instead of DIR/tandem.conf"}}},
    {"verify", "", 0, 0, "Compare every stored byte with its hash, and the index with the bytes",
     "Goes on while the nodes run; Ctrl-C ends it. Of a node that does not open its folder is looked at. Exit status 1 if\n"
     "anything is wrong.",
     "verify --node archive", 3600, run_verify, {{0}}},
    {"repair", "", 0, 0, "Fetch what is damaged or missing from the other own node and from peers",
     "A damaged database is put aside and made anew from what is left. Exit status 1 if something could not be had; the\n"
     "list says what it was.",
     "repair --node archive", 3600, run_repair,
     {{"forget-lost", '\0', NULL, "give up what nobody has: it is listed for the last time"}}},
    {"config show", "", 0, 0, "Show the settings in force",
     "Those of the running supervisor, else what the next one would take. 'config set' writes one.", "config show --origin", 30, run_config_show,
     {{"origin", '\0', NULL, "and where each comes from"}, {"config", '\0', "FILE", "read FILE instead of DIR/tandem.conf"}}},
    {"config set", "KEY [VALUE]", 1, 2, "Write a setting into the file of settings",
     "KEY is what 'config show' lists. The value is checked first; what else stands in the file, comments included, stays.\n"
     "Without VALUE the line goes, and the default counts again. A running supervisor reads the file again with SIGHUP; what\n"
     "the nodes need they take when they are started.", "config set log.level debug", 30, run_config_set,
     {{"config", '\0', "FILE", "write into FILE instead of DIR/tandem.conf"}}},
    {"completion", "bash|zsh|fish", 1, 1, "Print a completion script for a shell",
     "An installed tandem has brought them. For this shell alone: source <(tandem completion bash).",
     "completion bash >~/.local/share/bash-completion/completions/tandem", 30, run_completion, {{0}}},

    {"backup", "DIR", 1, 1, "Copy everything into a folder, sealed with the secret",
     "The nodes go on meanwhile. A further backup into the same DIR copies what is new and keeps the former ones. DIR may\n"
     "lie anywhere; nobody reads it without the secret of this installation as it is now, so keep that apart from it.\n"
     "Exit status 1 with a result: files of the store are damaged or missing, and so they are in the backup.",
     "backup /media/disk/tandem", CTL_FOREVER, run_backup, {{0}}},
    {"backup verify", "DIR", 1, 1, "Read every byte of a backup and say what is damaged",
     "By the secret of the running installation, or the one given. Exit status 1: something is damaged or missing.",
     "backup verify /media/disk/tandem --secret-file secret.txt", CTL_FOREVER, run_backup_verify, {SECRET}},
    {"backup list", "DIR", 1, 1, "List the generations of a backup",
     "GENERATION is what 'restore --generation' takes. ADDED is what it needed beside those before it. STATE: complete, damaged,\n"
     "or sealed with another secret.", "backup list /media/disk/tandem", 30,
     run_backup_list, {SECRET}},
    {"restore", "DIR", 1, 1, "Put a backup where no installation is, as it was then",
     "Asks for the secret of that time. Afterwards 'up' and 'provision' with it open the installation, and contacts go on.\n"
     "What was said since comes back from whoever has it. Broken off, the same command goes on where it was. Never let the\n"
     "original run on beside it.",
     "restore /media/disk/tandem --state-dir ~/new", CTL_FOREVER, run_restore,
     {{"generation", '\0', "N", "of 'backup list'; default: the newest"},
      {"replace", '\0', NULL, "rename what lies there to replaced-… first"}, SECRET}},

    {"import", "--one-db DIR", 0, 0, "Create the installation from a storage directory of a ONE application",
     "Takes the place of the first 'provision': same person, keys, contacts, channels and history. The source is only\n"
     "read. The secret is that of the storage and becomes the secret of this installation.",
     "import --one-db ./OneDB --secret-file secret.txt", 600, run_import,
     {{"one-db", '\0', "DIR", "the storage directory"}, SECRET,
      {"user", '\0', "NAME", "owner; default: from the storage's e-mail"},
      {"other-email", '\0', "E", "e-mail of the person of the node that does not adopt it; default as of provision"}}},
    {"export", "--one-db DIR", 0, 0, "Write a storage directory that a ONE application can open",
     "The secret is the one the application will open it with.", "export --one-db ./OneDB --secret-file secret.txt", 600,
     run_export, {{"one-db", '\0', "DIR", "a directory that does not exist yet"}, SECRET}},
};
// clang-format on

const size_t CTL_COMMAND_COUNT = sizeof CTL_COMMANDS / sizeof *CTL_COMMANDS;
