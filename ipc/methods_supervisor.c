// What clients ask of the supervisor, and what the supervisor asks of its nodes.
#include "ipc/methods_table.h"

// clang-format off
static const struct ipc_method supervisor[] = {
    {"status", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_READS, 0,
     "Everything at a glance, as the nodes report it now. One that does not answer within 0.3 s shows its last report.",
     "{supervisor:{pid,uptimeMs,version,walls:{seccomp,landlock},autostart:{from,failure:{code,message,hint}}}, archive:{state,pid,restarts,personId,instanceId,listeners:[{type,url,state}],"
     "objects,bytes,failure:{code,message,hint,at},lastEnd:{reason,at},warnings:[…],walls,budgets:{stranger:{connections,bytesHeld:{use,limit,refused},…},contact:{…},own:{…},"
     "top:[{personId,class,…}]}}, sparse:{…}, federated, components:{webSocketServer:{state,reason}, browserConnection, invitationCreation, "
     "cryptoRegistration, handshake, chum}}; the state of a component is working, failing or idle; that of a node is stopped, starting, unprovisioned, running or failed; "
     "a listener of type relay also has spares, the sockets waiting there; one of type websocket has publicUrl where "
     "listen.public_url is set, and how many WebSockets are open, were accepted and refused, with lastRefusal for what; walls say whether system calls are filtered and which version of Landlock limits files, 0 "
     "for none (null until the node is provisioned); failure is what keeps the node from opening or running, null when "
     "nothing does; lastEnd is how its process ended the last time that it was not told to, or null; autostart is null where nobody chose "
     "autostart.secret",
     {{0}}},
    {"config.show", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_READS, 0,
     "The settings that are in force, and where each comes from.",
     "{file, items:[{key,value,origin,line}]}; origin is default, file, environment or flag; line is that of the file. "
     "Nodes take what concerns them when they are started",
     {{0}}},
    {"provision", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_MUTATES, 0,
     "Opens or creates both nodes, pairs them if they are not, waits until CHUM runs both ways.",
     "{archive:{personId,instanceId,url,listening,pid}, sparse:{personId,instanceId,pid}, created, paired, federated, milliseconds}; "
     "with importName also imported:{objects,files,heads,damaged,unknown}; with recreate, where the lost keys were not "
     "kept, also pairAnew:[{personId,name}], contacts that know the node by its old keys",
     {TEXT(user, OPTIONAL, 128, "needed the first time; both profiles have this name at first; of an address what stands before the @"),
      TEXT(secret, REQUIRED, 1024, "of this installation"),
      TEXT(archiveEmail, OPTIONAL, 254, "default node-USER-XXXXXXXX@lama.local, with 8 random characters"),
      TEXT(sparseEmail, OPTIONAL, 254, "default USER-XXXXXXXX@lama.local, with the same characters"),
      BOOL(wait, "until federated; default true"),
      INT(timeoutMs, OPTIONAL, 1, 3600000, "of the whole call, default 60000; work goes on behind it"),
      CHOICE(recreate, OPTIONAL, NODES, "makes a lost store anew, with its keys if they were kept; the other node gives everything back"),
      TEXT(importName, OPTIONAL, 64,
           "first time only: a reference storage directory to adopt, lying as NODE/import/NAME in the state directory"),
      TEXT(importSecret, OPTIONAL, 1024, "of that directory"),
      CHOICE(importNode, OPTIONAL, NODES, "which node adopts it, default archive")}},
    {"deprovision", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_MUTATES, 0,
     "Ends the node processes, forgets their keys and starts fresh unprovisioned ones.",
     "{wiped}",
     {BOOL(wipe, "also deletes both stores and the keys, for ever")}},
    {"secret.change", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_MUTATES, 0,
     "Seals the keys of both nodes for another secret, in one step that either happens or does not: a failure or a crash "
     "leaves the old secret in force. Nodes may be provisioned or not; connections stay open. BAD-SECRET: it is not the "
     "old one.",
     "{}, when only the new secret opens the installation",
     {TEXT(secret, REQUIRED, 1024, "of this installation until now"),
      TEXT(newSecret, REQUIRED, 1024, "from now on"),
      INT(timeoutMs, OPTIONAL, 1, 3600000, "default 30000; nothing was changed when it ends with TIMEOUT")}},
    {"backup.begin", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_MUTATES, 0,
     "Names one moment and has both nodes copy their databases as they are then, while they go on: into backup/ of the "
     "nodes' folders, as store.db, files (a line \"HASH SIZE\" for each file of store/objects it needs) and keys (sealed). "
     "'tandem backup' copies them from there. Only one at a time: BUSY. Who leaves before the answer ends it.",
     "{backup, at, keys, installation, archive:{objects,files,fileBytes,bytes}, sparse:{…}}; keys and installation: the text of "
     "keys.json and installation.json at that moment",
     {BOOL(takeOver, "whoever began one before has gone; default false")}},
    {"backup.key", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_READS, 0,
     "A key to seal a backup with, which the secret of this installation opens, or with sealed the key of an earlier one. It "
     "opens content, not the keys of identities, which are sealed besides. BAD-SECRET: another secret opens it.",
     "{key, sealed}; key: hex of 32 bytes, wipe it after use; sealed, if it is new: to be kept with the backup",
     {{NAMED(sealed), IPC_TEXT, IPC_OPTIONAL, 144, 144, NULL, "hex, as answered when the backup was begun"}}},
    {"backup.progress", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_READS, 0,
     "Whoever copies says how far it is, at least every two minutes; else the nodes drop what they copied. NOT-FOUND: they "
     "have.", "{}",
     {TEXT(backup, REQUIRED, 64, "of backup.begin"), INT(done, REQUIRED, 0, INT64_MAX, "bytes looked at"),
      INT(total, REQUIRED, 0, INT64_MAX, "bytes in all")}},
    {"backup.end", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_MUTATES, 0,
     "Everything was copied, or code says why not; the nodes drop their copies.", "{}",
     {TEXT(backup, REQUIRED, 64, "of backup.begin"), INT(objects, OPTIONAL, 0, INT64_MAX, "in the backup"),
      INT(bytes, OPTIONAL, 0, INT64_MAX, "of content"), INT(newBytes, OPTIONAL, 0, INT64_MAX, "of it that was copied"),
      TEXT(code, OPTIONAL, 40, "why it failed")}},
    {"restart", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_MUTATES, 0,
     "Restarts one node and provisions it again; also brings back a failed one.",
     "{}, when the node answers",
     {CHOICE(node, REQUIRED, NODES, "which")}},
    {"store.repair", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_MUTATES, 0,
     "Verifies the store of a node and fetches what is damaged or missing from the other own node, then from any peer that "
     "may have it. A node that does not open tries again, and makes its database anew from what is left: STORE-MISSING, "
     "STORE-CORRUPT when that is not enough.",
     "{jobId}, for job.wait with the same node; its result: {repaired, lost:[{hash,type,conversation}], restart}; restart: "
     "the node has to be restarted, which then makes its database anew or comes by what it needed; then call again. Of a node that did not open: "
     "{opened:true}, when it does; then call again",
     {CHOICE(node, REQUIRED, NODES, "which"),
      BOOL(forget, "gives up what nobody has, so that nothing waits for it any more; it is told in lost for the last time")}},
    {"listener.stop", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_MUTATES, 0,
     "Shuts the archive's listener: nobody dials it but our sparse node, at a port of this machine that nobody is told. It "
     "dials others and is met at relays as before. It stays so, also after restarts, until listener.start. The archive is "
     "restarted for it, so that its connections end.",
     "{}, when the archive answers; at once if it is so already",
     {{0}}},
    {"listener.start", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_MUTATES, 0,
     "Opens the archive's listener again, at the address it had. NOT-LISTENING: the setting listen.address is none.",
     "{}, when the archive answers; at once if it is so already",
     {{0}}},
    {"discovery.on", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_MUTATES, 0,
     "Announces the archive's listener in the local network (mDNS, _one._tcp) and looks which others there are. It stays so, "
     "also after restarts, as the setting discovery.on. Nobody may do more than before: a connection still wants an "
     "invitation. DISCOVERY-NOT-BUILT: this tandem cannot.",
     "{state, name, port, reason, code}: when the network has answered, or after 6 s. state is announced, with the name and "
     "the port that others are told; looking, where there is nothing to announce, not yet, or Avahi refuses it, and reason says why; waiting, where "
     "Avahi is away, and code and reason say so; off. What is not there is null",
     {{0}}},
    {"discovery.off", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_MUTATES, 0,
     "Withdraws what is announced, at once, and looks no more.",
     "as discovery.on",
     {{0}}},
    {"discovery.list", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_READS, 0,
     "The listeners in the local network, as they say themselves: nobody has proved anything. After discovery.on it "
     "answers when the network has, or after 6 s.",
     "{state, name, port, reason, code, items:[{name,host,addresses,port,url,own,seenAt,txt:{…}}], leftOut}; the first five as "
     "discovery.on; at most 256 items, and leftOut says how often there was no room; own: it is ours; host and url may be null",
     {{0}}},
    {"down", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_READS, 0,
     "Stops both nodes, then the supervisor.",
     "{}, before it stops", {{0}}},
    {"wait", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_READS, 0,
     "Answers when it is so, or TIMEOUT.",
     "{}",
     {CHOICE(for, REQUIRED, "ready|federated|idle",
             "ready: both nodes answer; federated: CHUM runs both ways; idle: and nothing is left to transfer"),
      INT(timeoutMs, OPTIONAL, 1, 3600000, "default 30000")}},
    {"events.since", IPC_SUPERVISOR, IPC_CLIENT, 0, IPC_READS, 0,
     "Reads the last 10,000 events, also those of before the supervisor was started. Start with seq 0; go on with \"next\" "
     "and the \"bootId\" of the answer, also when the supervisor was started again meanwhile.",
     "{bootId, events:[{seq,node,event,time,data}], next, gap}; gap: events between were overwritten, or that bootId is not "
     "remembered",
     {TEXT(bootId, OPTIONAL, 64, "of the answer before"),
      INT(seq, OPTIONAL, 0, INT64_MAX, "first wanted number, default 0"),
      CHOICE(from, OPTIONAL, "run|oldest|now", "where seq 0 begins, default run: with the first since the supervisor "
             "was started; now: answers at once, without events"),
      CHOICE(node, OPTIONAL, "archive|sparse|supervisor", "only what happened there"),
      TEXT(type, OPTIONAL, 64, "only events of this name, or of this kind: chat for chat.sent and chat.received; NOT-FOUND when there is none"),
      INT(limit, OPTIONAL, 1, 1000, "default 500"),
      WAIT_MS}},
};

static const struct ipc_method internal[] = {
    {"node.provision", IPC_NODE, IPC_INTERNAL, 0, IPC_MUTATES, MS_LONG,
     "Opens (or creates, when create is true) the store with the key. The archive listens before it creates anything. "
     "STORE-MISSING: there is none and create is false. BAD-SECRET: the key does not open it.",
     "{personId, instanceId, instanceKey, url, created, keysKept, email, instanceName, imported}; url: where this node "
     "listens, null for the sparse node; keysKept: it has the keys of before",
     {TEXT(user, REQUIRED, 128, "name of the owner"), TEXT(email, OPTIONAL, 254, "of this node's person"),
      TEXT(instanceName, OPTIONAL, 256, "of this node's instance; both are needed unless importName is given"),
      TEXT(name, OPTIONAL, 128, "the profile's, in a store that is new"),
      {NAMED(key), IPC_TEXT, IPC_REQUIRED, 64, 64, NULL, "hex of the 32-byte node key; wipe it after use"},
      BOOL(create, "whether a missing store is made; default false"),
      BOOL(aside, "with create: what lies there of a store is put aside first"),
      BOOL(repair, "the database is made anew from what is left"),
      TEXT(keysCopy, OPTIONAL, 1 << 20, "of node.keys: for where keys are missing or damaged. BAD-KEY-FILE: it does not open"),
      TEXT(importName, OPTIONAL, 64, "a reference storage directory to adopt, lying as import/NAME in the node's own"),
      TEXT(importSecret, OPTIONAL, 1024, "of that directory; wipe it after use"),
      TEXT(host, OPTIONAL, 255, "archive: host to listen on; none: for the sparse node only, others meet it at relays"),
      BOOL(listening, "archive: false: for now the same, though others are told the address; default true"),
      INT(port, OPTIONAL, 0, 65535, "archive: port to listen on, 0 = any free one"),
      INT(preferredPort, OPTIONAL, 1, 65535, "archive: with port 0, tried first"),
      OBJECT(config, OPTIONAL, "the keys of tandem.conf the node reads: {\"relay.urls\":[…], \"listen.origins\":[…], …}")}},
    {"node.repair", IPC_NODE, IPC_INTERNAL, 0, IPC_MUTATES, MS_DEFAULT, "The node's part of store.repair.", "{jobId}",
     {BOOL(forget, "as there")}},
    {"node.reseal", IPC_NODE, IPC_INTERNAL, 0, IPC_MUTATES, MS_LONG,
     "Prepares a change of the node key: seals what key opens for newKey as well. Both open the store from then on.",
     "{copy}, as of node.keys, when it is durable",
     {{NAMED(key), IPC_TEXT, IPC_REQUIRED, 64, 64, NULL, "hex of the present node key; wipe it after use"},
      {NAMED(newKey), IPC_TEXT, IPC_REQUIRED, 64, 64, NULL, "hex of the one to come; wipe it after use"}}},
    {"node.settle", IPC_NODE, IPC_INTERNAL, 0, IPC_MUTATES, MS_LONG,
     "Ends a change of the node key: from now on only key opens the store. node.provision with the new key does the same.",
     "{copy}, as of node.keys, when it is durable",
     {{NAMED(key), IPC_TEXT, IPC_REQUIRED, 64, 64, NULL, "hex of the new node key; wipe it after use"}}},
    {"node.keys", IPC_NODE, IPC_INTERNAL, 0, IPC_READS, MS_LONG,
     "A copy of the private keys as they lie in the node's folder, sealed with the node key, to be kept elsewhere.",
     "{copy}", {{0}}},
    {"node.snapshot", IPC_NODE, IPC_INTERNAL, 0, IPC_READS, MS_LONG,
     "Copies the database as it is now into backup/ of the node's folder, with what backup.begin says; an earlier copy makes "
     "room.", "{objects, files, fileBytes, bytes}", {{0}}},
    {"node.snapshot.drop", IPC_NODE, IPC_INTERNAL, 0, IPC_READS, MS_LONG, "Removes that copy.", "{}", {{0}}},
    {"node.peer", IPC_NODE, IPC_INTERNAL, 0, IPC_MUTATES, MS_DEFAULT,
     "Tells who the other own node is: nobody who has another instanceKey. Its url overrides the stored endpoint. It is tandem: no courtesy waits.",
     "{}",
     {HASH(personId, REQUIRED, "of the other node"), HASH(instanceId, REQUIRED, "of the other node"),
      HASH(instanceKey, REQUIRED, "its public encryption key, as node.provision answered it there"),
      TEXT(url, OPTIONAL, 2048, "where the other node listens"),
      BOOL(restoring, "the other node lost its store and has its keys: give it back what is its own; default false")}},
    {"node.outbox", IPC_NODE, IPC_INTERNAL, 0, IPC_READS, MS_DEFAULT,
     "Sparse: what waits for the archive, in its order. The event outbox.waiting tells that there is something.",
     "{items:[{seq,opId,method,params,at}], delivered:{epoch,change}}; delivered: what node.delivered was given last",
     {INT(after, OPTIONAL, 0, INT64_MAX, "seq of the last one that is known"),
      INT(limit, OPTIONAL, 1, 64, "default 64")}},
    {"node.carry", IPC_NODE, IPC_INTERNAL, 0, IPC_MUTATES, MS_LONG,
     "Archive: does what node.outbox gave, in its order, each once, however often it is asked.",
     "{items:[{seq,result}|{seq,error:{code,message}}]}, when all is durable",
     {ARRAY(items, REQUIRED, 64, "of node.outbox")}},
    {"node.carried", IPC_NODE, IPC_INTERNAL, 0, IPC_MUTATES, MS_DEFAULT,
     "Sparse: what came of it. Rows that are not named wait on.", "{}, when it is durable",
     {ARRAY(items, REQUIRED, 64, "of node.carry")}},
    {"node.post", IPC_NODE, IPC_INTERNAL, 0, IPC_MUTATES, MS_DEFAULT,
     "Archive, by node.carry: posts a message as its own, at the time that makes its id the one the sparse node told. "
     "BLOB-UNAVAILABLE: a file has not come yet. NO-WAY: the person is no contact.",
     "{id, channel, state}",
     {TEXT(topic, REQUIRED, 1024, "topic id"), HASH(to, OPTIONAL, "person, of a conversation of two"),
      {NAMED(text), IPC_TEXT, IPC_REQUIRED, 0, KIB * KIB, NULL, "the message"},
      ARRAY(attachments, OPTIONAL, 64, "hashes of BlobDescriptors"),
      ARRAY(thumbnails, OPTIONAL, 64, "hashes of BlobDescriptors"),
      INT(time, REQUIRED, 0, INT64_MAX, "milliseconds since 1970"),
      HASH(id, OPTIONAL, "the id that was told; REFUSED if it becomes another one"), AS}},
    {"node.deliveries", IPC_NODE, IPC_INTERNAL, 0, IPC_READS, MS_POLL,
     "Archive: how far its messages got, changes after a number. Of another epoch: all.",
     "{epoch, items:[{message,person,state,at,why}], next}",
     {INT(epoch, OPTIONAL, INT64_MIN, INT64_MAX, "of the answer before"),
      INT(since, OPTIONAL, 0, INT64_MAX, "\"next\" of the answer before"), WAIT_MS}},
    {"node.delivered", IPC_NODE, IPC_INTERNAL, 0, IPC_MUTATES, MS_DEFAULT,
     "Sparse: keeps that.", "{}, when it is durable",
     {INT(epoch, REQUIRED, INT64_MIN, INT64_MAX, "as answered"), INT(next, REQUIRED, 0, INT64_MAX, "as answered"),
      ARRAY(items, REQUIRED, 500, "as answered")}},
    {"node.contacts", IPC_NODE, IPC_INTERNAL, 0, IPC_READS, MS_DEFAULT,
     "What this node says of some contacts, for the list of the installation.", "{items:[as contacts.list]}, of those it knows",
     {ARRAY(persons, OPTIONAL, 1000, "person ids; default all, as many as one answer holds")}},
    {"node.known", IPC_NODE, IPC_INTERNAL, 0, IPC_MUTATES, MS_DEFAULT,
     "Sparse: keeps what the archive said of contacts, for when it is away.", "{}",
     {ARRAY(items, REQUIRED, 1000, "of node.contacts")}},
    {"node.status", IPC_NODE, IPC_INTERNAL, 0, IPC_READS, 5000,
     "What the supervisor shows and waits for.",
     "{state, personId, instanceId, listeners:[{type,url,state}], objects, bytes, warnings:[text], budgets, idle, board, "
     "peer:{paired,importing,exporting,restoring}}; state is unprovisioned or running; peer is the node of node.peer: a "
     "contact with our trust; CHUM with it runs inwards; outwards; this node gets back from it what it lost",
     {{0}}},
    {"node.stop", IPC_NODE, IPC_INTERNAL, 0, IPC_MUTATES, 2000,
     "Ends connections once their peers owe no answer, at most 0.7 s, closes the store, answers, ends with status 0.", "{}", {{0}}},
    {"node.heartbeat", IPC_NODE, IPC_INTERNAL, 0, IPC_READS, 20000,
     "Answered by the event loop itself, so it shows that the loop turns.", "{}", {{0}}},
};
// clang-format on

const struct ipc_table IPC_TABLE_SUPERVISOR = {supervisor, sizeof supervisor / sizeof *supervisor};
const struct ipc_table IPC_TABLE_INTERNAL = {internal, sizeof internal / sizeof *internal};
