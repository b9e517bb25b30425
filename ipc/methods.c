// What clients ask of the nodes.
#include "ipc/methods_table.h"

// clang-format off
static const struct ipc_method rows[] = {
    // --- pairing and peers ------------------------------------------------------------------------------------------
    {"pairing.invite", IPC_NODE, IPC_CLIENT, IPC_ARCHIVE, IPC_MUTATES, MS_DEFAULT,
     "Makes an invitation that another ONE node can accept once.",
     "{token, publicKey, url}",
     {CHOICE(via, OPTIONAL, "direct|relay", "default direct; relay when there is no listener"),
      INT(ttl, OPTIONAL, 1, 86400 * 30, "seconds it stays valid, by default those of peers.invitation_s"),
      BOOL(keep, "it survives a restart of the node; by default it does when it is valid for more than an hour"),
      HASH(for, OPTIONAL, "only this person may use it, and, being a contact, may come with a new device"),
      AS}},
    {"pairing.invitations", IPC_NODE, IPC_CLIENT, IPC_ARCHIVE, IPC_READS, MS_DEFAULT,
     "The invitations nobody has used yet.",
     "{items:[{invitation,expiresAt,kept,inUse}], next}; invitation is the beginning of its token; kept: it survives a "
     "restart; inUse: a pairing with it is under way",
     {PAGE}},
    {"pairing.revoke", IPC_NODE, IPC_CLIENT, IPC_ARCHIVE, IPC_MUTATES, MS_DEFAULT,
     "Takes back an invitation. A pairing under way with it is not stopped.", "{}",
     {TEXT(invitation, REQUIRED, 64, "its token, or the beginning as pairing.invitations tells it")}},
    {"pairing.accept", IPC_NODE, IPC_CLIENT, IPC_ARCHIVE, IPC_MUTATES, MS_LONG,
     "Accepts an invitation; answers when the contact is stored on this side.",
     "{personId, instanceId, safety}; safety: the text that the other side sees too, if nobody stands between",
     {OBJECT(invitation, REQUIRED, "{token, publicKey, url} as pairing.invite gives it"),
      HASH(for, OPTIONAL, "it is this person's invitation; being a contact, it may have it made on a new device"), AS,
      BOOL(wait, "when the peer cannot be reached, answer {state:\"waiting\", waiting, until} and go on trying, also after "
                   "restarts; events pairing.waiting, pairing.done, pairing.failed"),
      INT(waitS, OPTIONAL, 1, 86400 * 90, "seconds to go on trying, default seven days")}},
    {"pairing.waiting", IPC_NODE, IPC_CLIENT, IPC_ARCHIVE, IPC_READS, MS_DEFAULT,
     "The invitations that were accepted and wait for their peers.",
     "{items:[{waiting,url,identity,since,until,nextAt,tries,code,reason}], next}; waiting is the beginning of the token; "
     "code and reason are those of the last attempt",
     {PAGE}},
    {"pairing.cancel", IPC_NODE, IPC_CLIENT, IPC_ARCHIVE, IPC_MUTATES, MS_DEFAULT,
     "Waits for the peer of an invitation no more.", "{}",
     {TEXT(waiting, REQUIRED, 64, "its token, or the beginning as pairing.waiting tells it")}},
    {"contacts.list", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "The people this node knows; without \"node\" those of the installation, with what either node says of them, or the sparse "
     "node alone while the archive is away.",
     "{items:[{personId,identity,name,localName,email,own,level,lastSeenAt,pairedWith:[archive,sparse],trusted,enabled,safety,"
     "instances:[{instanceId,url,safety}],connected}], next}; identity: the identity of ours whose contact "
     "it is: of the node asked those of all, unless one is named; localName is the user's own name for it; own: it is the other "
     "own node; level is connected, seen (was connected before), paired, or unknown (nobody of us is paired with it); safety: "
     "the text to be compared with what the contact sees for us, null where no pairing of ours stands behind the keys; with "
     "unread also unread: how much of the newest 100 messages",
     {PAGE, AS, BOOL(unread, "count what is unread, which takes longer; default false")}},
    {"contact.name", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Gives a person a name of the user's own, which both own nodes keep and nobody else is told.",
     "{others:[person], ambiguous}: who else is called so, by e-mail or by itself, and from now on has to be named "
     "otherwise; ambiguous: the user calls more than one person so, and none can be named by it",
     {PERSON(person, REQUIRED, "who"),
      {NAMED(name), IPC_TEXT, IPC_REQUIRED, 0, IPC_NAME_MAX, NULL, "what to call it; \"\" takes it back"}}},
    {"contact.forget", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Forgets a contact's keys and endpoints and closes its connections; without \"node\" at whichever own node is paired with "
     "it. A contact of several identities is forgotten for all of them, with \"as\" for that one alone. OWN-NODE: an own node is "
     "no contact to be forgotten.", "{}",
     {PERSON(person, REQUIRED, "who"),
      BOOL(wipe, "also deletes what was said with the person until now, and the files and objects that only it gave; the person keeps its copies"),
      AS}},
    {"contact.enable", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Allows connections with a person again, of all identities. REFUSED: with \"as\", and the person is a contact of the "
     "main and of a further identity.",
     "{}",
     {PERSON(person, REQUIRED, "who"), AS}},
    {"contact.disable", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Closes and refuses connections with a person, of all identities. REFUSED: with \"as\", and the person is a contact of "
     "the main and of a further identity. OWN-NODE: the own nodes are one; with \"node\" it cuts them apart.",
     "{}",
     {PERSON(person, REQUIRED, "who"), AS}},
    {"endpoints.list", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "Every instance of every contact: how it is reached, and what is being done about it.",
     "{items:[{personId,instanceId,publicKey,url,state,failures,nextAt,connectionId}], next}; state is disabled, incoming "
     "(it has to come: there is no address, or dialling is switched off), waiting (until nextAt), dialling or active; "
     "failures: attempts in a row that failed",
     {PAGE}},
    {"connection.try", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "Opens a WebSocket at an address and closes it again. UNREACHABLE, TLS-FAILED, NOT-A-NODE, TIMEOUT.",
     "{milliseconds}",
     {TEXT(url, REQUIRED, 2048, "ws:// or wss://")}},
    {"connections.list", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "Connections, newest first: those being dialled and the open ones.",
     "{items:[{id,remotePersonId,remoteInstanceId,protocol,state,direction,transport,url,live,bytesSent,bytesReceived,"
     "messagesSent,messagesReceived,latencyMs,createdAt,openedAt,closedAt,steps:[{state,ms,messages}],"
     "closeEvent:{type,status,code,reason,origin},plugins:[{name,addedAt,sent,received}]}], next}; state is initializing, "
     "connecting, connected, encrypting, encrypted, authenticating, authenticated, pairing, paired, active, closing, closed "
     "or failed; steps are the states it has left, with the messages of both sides meanwhile; status is the code of the "
     "WebSocket. What other programs look for once more: internalId and connectionId (id), currentState (state), startTime "
     "(createdAt), messageCount (of both directions)",
     {BOOL(ended, "also the last 100 that have ended or could not be dialled; default false"), PAGE}},

    // --- chat -------------------------------------------------------------------------------------------------------
    {"chat.send", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Sends a message to a person; it is durable on this node when it answers. Without \"node\": by the node that is paired "
     "with the person; what the archive has to post waits durably until it has. NO-WAY: neither node is paired with the "
     "person.",
     "{id, channel, state, disabledContact}; state is sent, or pending: it waits for the archive. The id stays the same. "
     "disabledContact: the person's id, where contact.disable was called, which gets the message after contact.enable; "
     "otherwise left out",
     {PERSON(to, REQUIRED, "who"),
      {NAMED(text), IPC_TEXT, IPC_REQUIRED, 0, KIB * KIB, NULL, "the message"},
      ARRAY(attachments, OPTIONAL, 64,
            "[{hash,name,type,thumbnail:{hash,type}}] of blobs stored before with blob.commit; thumbnail is optional"),
      AS}},
    {"chat.list", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "The latest messages with a person, oldest first. Without \"node\" with both own persons, as one conversation.",
     "{items:[{id,text,sender,author,verification,timestamp,attachments:[{name,type,size,hash,present,"
     "thumbnail:{hash,type}}],state,deliveredTo:[personId],why}], next}; verification is verified, unsigned or forged; of a "
     "text above 1 MiB the beginning and truncated:true; own messages have a state: pending (waits for the archive), sent "
     "(durable here), archived (at the archive too; so it stays while a node of those it is for cannot take it over, event "
     "share.withheld, and what is for everyone stays sent or archived), delivered (stored by all it is for; deliveredTo has "
     "those who did), failed, with why; next is the \"before\" of the page before",
     {PERSON(with, REQUIRED, "who"),
      INT(limit, OPTIONAL, 1, 1000, "default 50"),
      PREFIX(before, OPTIONAL, "message id: only older ones"), AS}},
    {"chat.since", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_POLL,
     "Messages stored behind a cursor, for followers. Without a cursor it answers the current one and no message.",
     "{items:[as chat.list], next}; next is the next cursor",
     {PERSON(with, REQUIRED, "who"),
      TEXT(cursor, OPTIONAL, 4096, "\"next\" of the answer before"),
      INT(limit, OPTIONAL, 1, 1000, "default 100"),
      WAIT_MS, AS}},
    {"chat.state", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_POLL,
     "How far one of our messages got.", "{id, state, deliveredTo, why}, as chat.list has them",
     {PREFIX(message, REQUIRED, "message id"),
      TEXT(known, OPTIONAL, 16, "the state that is known: with waitMs, answer when it is another one"), WAIT_MS, AS}},

    {"chat.search", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "Messages that hold a text, of all conversations, newest first. A bounded number of messages is looked at: as long as "
     "there is a next, there may be more, also when items is empty.",
     "{items:[as chat.list, with {topic,name}], next}; topic can be given wherever a topic is wanted; next is the \"before\" "
     "of the page before; with \"as\" only what is said in the conversations of that identity",
     {TEXT(text, REQUIRED, 256, "case does not matter"), INT(limit, OPTIONAL, 1, 100, "default 20"),
      PREFIX(before, OPTIONAL, "message id: only older ones"), AS}},

    {"chat.delete", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Deletes one message, or the newest 200 of a conversation, with the files that nothing else refers to: on both own "
     "nodes, also on one that is away now, and for good, whoever offers them again. The bytes leave the disk once everybody "
     "the message is for has it. Others keep their copies.",
     "{deleted, more, next}; how many; more: the conversation has others, ask again, with next as before",
     {HASH(message, OPTIONAL, "message id; or"), PERSON(with, OPTIONAL, "the conversation with this person; or"),
      TEXT(topic, OPTIONAL, 1024, "as in topic.read"),
      HASH(before, OPTIONAL, "of a conversation the newest that are older than this message"), AS}},

    // --- objects, recipes, blobs ------------------------------------------------------------------------------------
    {"object.get", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "One object by its hash.", "{hash, idHash, type, microdata, object}; idHash is null for unversioned objects",
     {PREFIX(hash, REQUIRED, "of the object")}},
    {"object.current", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "The current version of a versioned object.", "as object.get",
     {PREFIX(idHash, REQUIRED, "of the versioned object")}},
    {"object.versions", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "The versions of a versioned object, newest first.",
     "{items:[{hash,node,nodeType,depth,createdAt}], next}",
     {PREFIX(idHash, REQUIRED, "of the versioned object"), PAGE}},
    {"object.put", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Stores an object; a versioned one becomes a new version.", "{hash, idHash, status}; status is new or exists",
     {OBJECT(object, REQUIRED, "JSON form with $type$; {\"$map\":…}, {\"$set\":…} and so on for what JSON lacks")}},
    {"object.delete", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Deletes a file, an object of an application, or a versioned one with all its versions by its idHash: on both own nodes "
     "and for good, until it is stored here again. REFUSED: something refers to it. Others keep their copies.",
     "{}", {HASH(hash, REQUIRED, "of the object or file, or the idHash")}},
    {"recipe.add", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Registers a recipe on one node.", "{name, hash, status}; status is new or exists",
     {OBJECT(recipe, REQUIRED, "a Recipe object in JSON form")}},
    {"recipe.list", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "The registered recipes.", "{items:[{name,hash}], next}", {PAGE}},
    {"blob.begin", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Begins a file. It is forgotten when no piece comes for 10 minutes, and when a piece could not be written.", "{blob}",
     {BOOL(tied, "forget it as soon as this connection is closed; without it the pieces may come on any")}},
    {"blob.chunk", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "Adds a piece; the same piece at the same offset may come again.", "{size}, so far",
     {TEXT(blob, REQUIRED, 64, "of blob.begin"),
      INT(offset, REQUIRED, 0, INT64_MAX, "where the piece begins; pieces follow each other"),
      {NAMED(data), IPC_TEXT, IPC_REQUIRED, 0, PIECE_BASE64, NULL, "base64 of at most 512 KiB"},
      TEXT(opId, OPTIONAL, IPC_OP_ID_MAX, "may be given and says nothing: a piece that comes again changes nothing")}},
    {"blob.commit", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_LONG,
     "Ends the file: durable when it answers.", "{hash, size}",
     {TEXT(blob, REQUIRED, 64, "of blob.begin")}},
    {"blob.abort", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Gives the file up: its bytes are freed.", "{}",
     {TEXT(blob, REQUIRED, 64, "of blob.begin")}},
    {"blob.stat", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_LONG,
     "Size of a stored file.", "{hash, size, presence}; presence is present, or remote: the archive has it, and blob.read fetches it",
     {PREFIX(hash, REQUIRED, "of the file")}},
    {"blob.read", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_LONG,
     "A piece of a stored file. One that lies at the archive is fetched first: STILL-FETCHING means to ask again.",
     "{data, size}: base64 of the piece, size of the whole file",
     {PREFIX(hash, REQUIRED, "of the file"),
      INT(offset, OPTIONAL, 0, INT64_MAX, "default 0"),
      INT(length, OPTIONAL, 1, 512 * KIB, "default 512 KiB")}},
    {"blob.stream", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_LONG,
     "A way in or out as raw bytes, past the supervisor, as \"Files as raw bytes\" tells. One that lies at the archive is fetched first: "
     "STILL-FETCHING means to ask again. CLOSED, or BUSY when there are 8 streams: go by pieces.",
     "{socket, ticket, size}: path of a Unix socket; good once, within 30 s; size so far, or of the file",
     {TEXT(blob, OPTIONAL, 64, "of blob.begin: what comes is added to it"),
      PREFIX(hash, OPTIONAL, "or of the file to be read")}},

    // --- sharing ----------------------------------------------------------------------------------------------------
    {"share.grant", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Lets a person, or whoever is in a group at the time, read an object, or every version of a versioned object. Give "
     "either id or object, and either with or group.", "{}",
     {PREFIX(id, OPTIONAL, "of a versioned object"), PREFIX(object, OPTIONAL, "hash of an object or file"),
      PERSON(with, OPTIONAL, "who"), TEXT(group, OPTIONAL, 256, "name, or id or its first 8 or more digits")}},
    {"share.revoke", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Takes back what share.grant gave; what the person has already, stays there.", "{}",
     {PREFIX(id, OPTIONAL, "of a versioned object"), PREFIX(object, OPTIONAL, "hash of an object or file"),
      PERSON(with, OPTIONAL, "who"), TEXT(group, OPTIONAL, 256, "name, or id or its first 8 or more digits")}},
    {"share.list", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "What is shared with whom.", 
     "{items:[{kind,hash,type,file,persons,groups}], next}; kind is id or object; file: which one, of an object that was "
     "granted for a file, else null", {PAGE}},
    {"roots.list", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "What CHUM would offer a person.", "{items:[as WIRE.md 10.4], next}",
     {PERSON(for, REQUIRED, "who"), PAGE}},

    // --- people and places ------------------------------------------------------------------------------------------
    {"profile.get", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "A person's main profile, by default the own.",
     "{personId, profileId, profile, name, email, owner, descriptions:[{type,…}], endpoints:[{type,url,instanceId}]}",
     {PERSON(person, OPTIONAL, "who"), AS}},
    {"profile.set", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Changes the own main profile; without \"node\" that of both own nodes, the archive's as soon as it can.",
     "as profile.get",
     {{NAMED(name), IPC_TEXT, IPC_OPTIONAL, 0, 512, NULL, "display name; \"\" removes it"},
      {NAMED(status), IPC_TEXT, IPC_OPTIONAL, 0, 2048, NULL, "status text; \"\" removes it"},
      {NAMED(image), IPC_TEXT, IPC_OPTIONAL, 0, 64, NULL, "hash of a stored file; \"\" removes it"},
      {NAMED(mail), IPC_TEXT, IPC_OPTIONAL, 0, 254, NULL, "mail address to show; \"\" removes it"},
      {NAMED(phone), IPC_TEXT, IPC_OPTIONAL, 0, 64, NULL, "phone number; \"\" removes it"},
      {NAMED(organisation), IPC_TEXT, IPC_OPTIONAL, 0, 512, NULL, "organisation; \"\" removes it"}, AS}},
    {"identity.list", IPC_NODE, IPC_CLIENT, IPC_ARCHIVE, IPC_READS, MS_DEFAULT,
     "The identities of a node; the main one is the one it connects as. Where \"as\" is taken, they speak.",
     "{items:[{personId,instanceId,email,instanceName,main}], next}", {PAGE}},
    {"identity.add", IPC_NODE, IPC_CLIENT, IPC_ARCHIVE, IPC_MUTATES, MS_DEFAULT,
     "Makes a further identity: a person and an instance with keys of their own, certified by the main one. One that is "
     "there already is found.",
     "{personId, instanceId, email, instanceName, main}",
     {TEXT(email, REQUIRED, 254, "of the person; nobody else's"),
      TEXT(instanceName, OPTIONAL, 256, "default: the e-mail"),
      TEXT(name, OPTIONAL, 512, "what its profile calls it; by default others see its e-mail")}},
    {"settings.set", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Sets one setting of an application. The own nodes share settings; nobody else gets them.", "{}",
     {TEXT(store, REQUIRED, 256, "name of the application's settings"), TEXT(key, REQUIRED, 256, "which"),
      {NAMED(value), IPC_TEXT, IPC_REQUIRED, 0, 32 * KIB, NULL, "any text"}}},
    {"settings.get", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "One setting.", "{value}",
     {TEXT(store, REQUIRED, 256, "name of the application's settings"), TEXT(key, REQUIRED, 256, "which")}},
    {"settings.list", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "All settings of an application.", "{items:[{key,value}], next}",
     {TEXT(store, REQUIRED, 256, "name of the application's settings"), PAGE}},
    {"group.create", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Creates a group of persons. EXISTS: there is one of this name.", "{groupId}",
     {TEXT(name, REQUIRED, 256, "unique"), PERSONS(persons, OPTIONAL, 1000, "who is in it")}},
    {"group.list", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "The groups with their members.", "{items:[{groupId,name,persons}], next}", {PAGE}},
    {"group.add", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Adds a person to a group.", "{}",
     {TEXT(group, REQUIRED, 256, "name, or id or its first 8 or more digits"), PERSON(person, REQUIRED, "who")}},
    {"group.remove", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Removes a person from a group.", "{}",
     {TEXT(group, REQUIRED, 256, "name, or id or its first 8 or more digits"), PERSON(person, REQUIRED, "who")}},
    {"channel.create", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Creates a channel.", "{channel}: its id hash",
     {TEXT(id, REQUIRED, 1024, "channel id"),
      TEXT(owner, OPTIONAL, IPC_NAME_MAX, "who, as id, e-mail or name, or \"none\"; default: the own person")}},
    {"channel.post", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Posts an object to a channel.", "{hash, channel}",
     {TEXT(id, REQUIRED, 1024, "channel id"),
      TEXT(owner, OPTIONAL, IPC_NAME_MAX, "who, as id, e-mail or name, or \"none\"; default: the own person"),
      OBJECT(object, REQUIRED, "JSON form as in object.put"),
      INT(timestamp, OPTIONAL, INT64_MIN, INT64_MAX,
          "milliseconds since 1970, at most 8640000000000000 to either side; 0 or left out: now"),
      TEXT(as, OPTIONAL, IPC_NAME_MAX, "the identity that signs, by e-mail or id, default the main one; it is also the default owner")}},
    {"channel.read", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "The entries of a channel, newest first; without owner those of all owners merged.",
     "{items:[{hash,author,owner,timestamp,object,truncated}], next}; truncated: object is null, as no answer could hold it",
     {TEXT(id, REQUIRED, 1024, "channel id"), TEXT(owner, OPTIONAL, IPC_NAME_MAX, "who, as id, e-mail or name, or \"none\""), PAGE}},
    {"channel.list", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "The known channels.", "{items:[{id,owner,channel}], next}; channel is its id hash", {PAGE}},
    {"topic.create", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Creates a group topic, or finds the one-to-one topic with one person or the one with every contact.",
     "{topicId, channel}",
     {TEXT(name, OPTIONAL, 256, "of a group topic"),
      TEXT(id, OPTIONAL, 512, "of a group topic, nothing that means a person: no \"me\", no 8 or more hex digits alone; default: made of the name and random characters"),
      PERSONS(persons, OPTIONAL, 250, "who is in it"),
      TEXT(group, OPTIONAL, 256, "name or id of a group: whoever is in it now takes part"),
      BOOL(history, "who joins later sees what was said before"),
      BOOL(everyone, "the one topic of everyone; alone"), AS}},
    {"topic.list", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "The topics.", "{items:[{topicId,identity,name,with,channel,persons,members:[{personId,role}],unread,lastAt}], next}; role is owner, "
     "writer or reader; without \"node\" what both own nodes say with a person is one; topics of which nobody has said who takes part have no members; unread counts among the newest 100 "
     "messages; lastAt is the time of the newest; with: in a conversation of two the other person, whose name is its name; "
     "identity: the identity of ours that takes part, of those that can be named with \"as\" or the main one", {PAGE, AS}},
    {"topic.members", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "Who takes part in a topic.", "{items:[{personId,role}], next}", {CHAT, PAGE, AS}},
    {"topic.add", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Takes persons into a group topic, or gives members another role. For its owners.", "as an item of topic.list",
     {CHAT, PERSONS(persons, REQUIRED, 250, "who"), CHOICE(role, OPTIONAL, "writer|reader|owner", "default writer"),
      BOOL(history, "they see what was said before, whatever the topic was made with"), AS}},
    {"topic.remove", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Takes members out of a group topic: they get nothing new. For its owners.", "as an item of topic.list",
     {CHAT, PERSONS(persons, REQUIRED, 250, "who"), AS}},
    {"topic.rename", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Gives a group topic another name, for all members. For its owners.", "as an item of topic.list",
     {CHAT, TEXT(name, REQUIRED, 256, "the new one"), AS}},
    {"topic.leave", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Leaves a group topic; what was said stays here, unless wipe. If no owner is left, whoever may write and is in it "
     "longest becomes one, or else who reads.",
     "as an item of topic.list, with newOwner: the person who became owner by it, or null",
     {CHAT, BOOL(wipe, "also deletes what was said in it until now; the others keep their copies"), AS}},
    {"topic.read-up-to", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Notes what was read of a conversation, for both own nodes. Nothing becomes unread by it.", "{}",
     {TEXT(topic, OPTIONAL, 1024, "as in topic.read; or"), PERSON(with, OPTIONAL, "the conversation with this person"),
      PREFIX(message, OPTIONAL, "the last one that was read; default: the newest"), AS}},
    {"topic.send", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Sends a message to a topic.", "{id, channel, state}; state as of chat.send",
     {CHAT,
      {NAMED(text), IPC_TEXT, IPC_REQUIRED, 0, KIB * KIB, NULL, "the message"},
      ARRAY(attachments, OPTIONAL, 64, "as in chat.send"), AS}},
    {"topic.read", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "The latest messages of a topic, oldest first.", "as chat.list",
     {CHAT,
      INT(limit, OPTIONAL, 1, 1000, "default 50"),
      PREFIX(before, OPTIONAL, "message id: only older ones"), AS}},
    {"trust.list", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "Keys and certificates of a person, or of everyone, with the decision about each key.",
     "{items:[{personId,key,trusted,reason,certificates:[{type,hash,issuer}]}], next}",
     {PERSON(person, OPTIONAL, "who"), PAGE}},
    {"trust.certify", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Signs a certificate about an object or a person.", "{certificate, signature}",
     {TEXT(certificate, REQUIRED, 128,
           "AffirmationCertificate, TrustKeysCertificate (of a profile version), "
           "RightToDeclareTrustedKeysForEverybodyCertificate or …ForSelfCertificate (of a person), RelationCertificate (of "
           "person2), AccessUnversionedObjectCertificate or AccessVersionedObjectCertificate"),
      PREFIX(data, REQUIRED, "hash or id hash of what it is about"),
      OBJECT(fields, OPTIONAL, "further properties: {app, relation, person1} of a relation, {person} of an access")}},
    {"trust.verify", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "Who signed an object, or a certificate about it, and whether that is trusted. keyReason and certificates say why "
     "the key counts or does not, as trust.list has them; they and key are missing where no known key fits.",
     "{items:[{issuer,certificate,trusted,reason,key,keyReason,certificates:[{type,hash,issuer}]}], next}",
     {PREFIX(data, REQUIRED, "hash of the object")}},

    // --- this node --------------------------------------------------------------------------------------------------
    {"id", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "Who this node is.",
     "{personId, email, instanceId, instanceName, url, personKeys:{hash,publicKey,signKey}, instanceKeys:{…}}; url: where "
     "others reach it, or null; hash: of the Keys object; invitations and connections show the public key of the instance",
     {{0}}},
    {"storage", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "What the store of this node holds.",
     "{role, objects, bytes, items:[{type,kind,state,objects,bytes}]}; role is archive or sparse; kind is object, id or "
     "file; state is present, remote (the other node has the bytes) or wanted (known by name, missing); the biggest "
     "first; objects and bytes count what is present",
     {{0}}},

    {"rule.quota", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "How many bytes of files the sparse node keeps, of those that the archive has too. Without bytes it only says so.",
     "{quota, bytes, files}; bytes and files are here now",
     {INT(bytes, OPTIONAL, 0, INT64_MAX, "from now on; by default sparse.quota_mb counts")}},
    {"rule.add", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "A rule about what the sparse node takes and keeps: one of the four. What is here stays here.", "{id}",
     {INT(size, OPTIONAL, 0, INT64_MAX, "files up to so many bytes come by themselves, the others when they are read"),
      TEXT(type, OPTIONAL, 76, "objects of this type of an application stay at the archive"),
      TEXT(topic, OPTIONAL, 1024, "only topics with such a rule come; as in topic.read"),
      INT(days, OPTIONAL, 0, 36500, "files that were not used for so long go, if the archive has them")}},
    {"rule.list", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "The rules.", "{items:[{id, kind, size|type|topic|days}], next}; kind is size, type, topic or age", {PAGE}},
    {"rule.remove", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Takes a rule back: what stayed away for it comes.", "{}",
     {INT(id, REQUIRED, 1, INT64_MAX, "of rule.list")}},

    // --- watching ---------------------------------------------------------------------------------------------------
    {"stats", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "Counters since the start of the node; rates are means since then.",
     "{global:{totalConnections,activeConnections,failedConnections,successRate,connectionRate,totalMessages,totalBytes,"
     "averageMessageSize,messageRate,throughputMbps,averageLatency,objectsSent,objectsReceived,bytesSent,bytesReceived,"
     "passes,failedRoots,skippedRoots,totalErrors,errorRate,uptimeMs,cpuMs,rssBytes,maxRssBytes}, and the members of global "
     "once more, but activeConnections, the list of those connections; transports:{websocket:{connections,active,failures,messages,bytes}, relay:{…}}; connections: as connections.list; recentErrors:[{type,error,code,severity,timestamp,connectionId,count}]; "
     "delivery:{count,delivered,avgMs,successRate}; alerts:[{rule,value,limit}] that are raised; with history also "
     "history:{samples:[{time,totalMessages,…}], summary:{totalMessages:{min,mean,max},…}}}",
     {INT(history, OPTIONAL, 1, 1440, "what happened in each of the last so many minutes")}},
    {"report", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "The same for people, with the last connections.", "{text, recentErrors}",
     {CHOICE(errors, OPTIONAL, "connection|auth|encryption|pairing|sync", "only errors of this type")}},
    {"health", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "One word on the connections; without \"node\" those of both nodes.",
     "{totalConnections, activeConnections, connectionRatio, avgLatency, lastSync, stuck, twice, contacts, reached, "
     "unreached:[personId], health}; a connection that should be there counts, too: contacts are those a node itself is "
     "paired with and that are not disabled, reached those connected now; stuck is how much cannot be taken over from peers "
     "again and again (event sync.stuck); twice: instances that run twice, of contacts or this node itself (event "
     "instance.twice); health is healthy, degraded or offline", {{0}}},
    {"trace", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "A message's way: step by step, of the last 20,000 messages; and how far it got, of every message of ours, for "
     "good.",
     "{messageId, content, channelId, direction, startTime, totalTime, completedSteps, totalSteps, failurePoint, success, "
     "steps:[{name,time}]}; direction is out or in; steps: chatModelSend, channelManagerPost, accessGrantsCreated, "
     "chumSyncTriggered, channelManagerUpdated, remoteDelivery, of those that happened; failurePoint: the first that did not; "
     "of our own messages also state, deliveredTo, why as chat.list has them, and recipients:[{personId,state,at}]; state is sent, delivered or "
     "failed, and the own archive is among the recipients of what this node posted itself",
     {PREFIX(message, REQUIRED, "message id")}},
    {"metrics", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "Numbers for Prometheus.", "{items:[{name,type,help,samples:[{labels:{},value}]}]}", {{0}}},

    // --- moving in and out ------------------------------------------------------------------------------------------
    {"onedb.export", IPC_NODE, IPC_CLIENT, IPC_ARCHIVE, IPC_MUTATES, MS_DEFAULT,
     "Writes a reference storage directory as export/NAME into the node's own directory.", "{jobId}",
     {TEXT(name, REQUIRED, 64, "of the folder, no path"), TEXT(secret, REQUIRED, 1024, "for that storage"),
      BOOL(tied, "cancel it as soon as this connection is closed")}},
    {"store.verify", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_DEFAULT,
     "Compares every stored byte with its hash and every row of the index with the bytes. Other work goes on meanwhile. "
     "A node whose store does not open looks at its folder.",
     "{jobId}; its result: {objects, damaged:[{hash,type}], missing:[{hash,type}], more, indexFaults, unindexed, "
     "databaseDamaged, open, sound, why}; more: how many further findings were left out; indexFaults: rows that say "
     "something else than the bytes; unindexed: files that the index does not know; open: the store is in use; sound: all "
     "is well",
     {{0}}},
    {"job.wait", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_READS, MS_POLL,
     "Waits for long work.", "{done, progress:{done,total}, result}; progress in bytes or objects, where it is known; a failed job "
     "answers its error",
     {TEXT(jobId, REQUIRED, 64, "as answered"), WAIT_MS}},
    {"job.cancel", IPC_NODE, IPC_CLIENT, IPC_SPARSE, IPC_MUTATES, MS_DEFAULT,
     "Gives long work up. What it has written is removed, also when it was done before.", "{}",
     {TEXT(jobId, REQUIRED, 64, "as answered")}},
};
// clang-format on

const struct ipc_table IPC_TABLE_NODES = {rows, sizeof rows / sizeof *rows};
