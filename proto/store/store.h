// The store of one node: objects, version heads, links, access, files. One SQLite database, and for the archive one
// file per object (docs/architecture.md, "The store").
//
// Everything here is synchronous and belongs to the store thread; other threads use store/queue.h. Between store_begin
// and store_commit all changes are one transaction: what was committed survives kill -9 and power loss.
#pragma once

#include "data/version.h"

struct store;

enum store_kind {
    STORE_ARCHIVE, // bodies settle into objects/ab/<hash>; the database can be rebuilt from the files
    STORE_SPARSE,  // bodies stay in the database; what is lost is refilled from the archive
};

struct store_options {
    const char *dir; // created with mode 0700 if absent
    enum store_kind kind;
    struct recipes *recipes; // borrowed; the store adds the recipes it holds
    bool rebuild;            // make the database anew from what is left, even if it opens
};

struct store_report { // what opening had to do; for logs and events
    bool created;
    bool rebuilt;          // the database was damaged or missing and was made anew
    bool restored;         // it is a copy of an earlier time, which began a new epoch (snapshot.h)
    int64_t restored_at;   // that time, ms since 1970; 0: not known
    uint64_t lost_objects; // known by name, content gone or damaged
    uint64_t repaired;     // leftovers of a crash that were finished or removed
    char note[200];        // one sentence for people; empty if nothing happened
};

// Codes: STORE-LOCKED (another process), STORE-CORRUPT (cannot be repaired), DISK-FULL, DISK-READ-ONLY, NO-PERMISSION,
// STATE-TOO-NEW.
enum status store_open(const struct store_options *options, struct store **out, struct store_report *report,
                       struct error *e);
void store_close(struct store *s); // NULL-safe
// Nothing is left that a store of this kind could be opened with: no folder, or for a sparse one, which has nothing but
// its database, none, an empty one, or one whose end is missing.
bool store_is_lost(const char *dir, enum store_kind kind);
enum store_kind store_kind(const struct store *s);
const struct recipes *store_recipes(const struct store *s);
// Registers a Recipe object with the set (recipes_add); a rollback does not take it back.
enum status store_add_recipe(struct store *s, const struct value *recipe, struct error *e);

enum status store_begin(struct store *s, struct error *e);
enum status store_commit(struct store *s, struct error *e); // on failure the transaction is rolled back
void store_rollback(struct store *s);
// Nested: what happened since a savepoint can be undone alone.
enum status store_savepoint(struct store *s, struct error *e);
enum status store_release(struct store *s, struct error *e);
void store_undo(struct store *s);

// ---- Objects -------------------------------------------------------------------------------------------------------

enum store_presence { STORE_ABSENT, STORE_PRESENT, STORE_REMOTE }; // remote: known, the archive holds the bytes

// Stores an object or id object; for a versioned object its id object too. *is_new may be NULL.
enum status store_put(struct store *s, const struct object *o, bool *is_new, struct error *e);
enum store_presence store_presence(struct store *s, const struct hash *hash);
// The text into the arena. STATUS_NOT_FOUND "NOT-FOUND"; STATUS_CORRUPT when the bytes do not hash to their name
// (the object is then marked wanted); STATUS_NOT_FOUND "REMOTE" when only the archive has the bytes.
enum status store_get(struct store *s, const struct hash *hash, struct arena *a, struct span *text, struct error *e);
// The same, read as an object (form told by its bytes).
enum status store_get_object(struct store *s, const struct hash *hash, struct arena *a, struct object *o,
                             struct error *e);

// On disk: column kind of table type.
enum store_content { STORE_OBJECT = 0, STORE_ID_OBJECT = 1, STORE_CLOB = 2, STORE_BLOB = 3 };

// Drops the bytes of what the archive holds as well: it becomes STORE_REMOTE, everything else about it stays. Storing
// it again brings the bytes back. STATUS_REFUSED "NOT-EVICTABLE" for what must stay: all but files and ChatMessages.
enum status store_evict(struct store *s, const struct hash *hash, struct error *e);
// Notes a file that somebody else holds, and its size, without its bytes: STORE_REMOTE, unless it is here.
enum status store_note_remote(struct store *s, const struct hash *hash, bool is_clob, uint64_t size, struct error *e);
// Its bytes are here, as many as there should be, and that is committed: what others may rely on. *size: how many.
bool store_holds(struct store *s, const struct hash *hash, uint64_t *size);
// What failed with "REMOTE" since it was asked the last time is moved to the empty *out.
void store_take_missed(struct store *s, struct hash_list *out);

// ---- What the user deleted ------------------------------------------------------------------------------------------

// Takes the bytes of an object or file away for good, and everything it refers to by its links; also of what is not
// here (yet). What refers to it stays whole, with a gap: it is neither asked for nor stored when others have it, shown
// to nobody, and not listed among the children of what is above it. Storing it here without a sender brings it back,
// and so does whoever sends it once store_need_again said so. Heads are not looked at.
enum status store_delete(struct store *s, const struct hash *hash, struct error *e);
// The same of a versioned object: all its versions, its head, and the id, of which no versions are wanted any more.
enum status store_delete_id(struct store *s, const struct hash *id_hash, struct error *e);
bool store_is_deleted(struct store *s, const struct hash *hash); // or a gap
// It is wanted again, whoever sends it.
enum status store_undelete(struct store *s, const struct hash *hash, struct error *e);
// What somebody refers to who has deleted it himself: a gap likewise, but whoever sends it after all fills it. What was
// lost here is none.
enum status store_note_gap(struct store *s, const struct hash *hash, struct error *e);
// Something new refers to a deleted one: from now on it is missing, until it comes. false: it was said before, or of
// too many. Kept in memory.
bool store_need_again(struct store *s, const struct hash *hash);
// Something else in the store refers to it, it is a version, or others than these two have a grant for it.
enum status store_is_held(struct store *s, const struct hash *hash, const struct hash *self, const struct hash *own,
                          bool *held, struct error *e);
// A name that is not to be shown any more, whether it is known or not; is_new may be NULL. Until store_hidden_done it
// counts as one whose bytes have yet to go.
enum status store_hide(struct store *s, const struct hash *hash, bool *is_new, struct error *e);
bool store_is_hidden(struct store *s, const struct hash *hash);
enum status store_hidden_kept(struct store *s, const struct hash *after, size_t limit, struct hash_list *out,
                              struct error *e);
enum status store_hidden_done(struct store *s, const struct hash *hash, struct error *e);
enum status store_hidden_again(struct store *s, const struct hash *hash,
                               struct error *e); // bytes came after it was done

struct store_info {
    uint64_t seq; // store-wide monotonic number
    enum store_content kind;
    char type[80]; // recipe name; empty for files
    uint64_t size;
    struct hash id_hash; // versioned objects and id objects
};
enum status store_info(struct store *s, const struct hash *hash, struct store_info *out, struct error *e);
// Gives up what is lost and nobody has: nothing waits for it any more. An id with it in its history begins anew with
// the newest version that is here.
enum status store_forget(struct store *s, const struct hash *hash, int64_t now_ms, struct error *e);
struct span store_type_known(struct store *s, const struct hash *hash); // also of what is lost; empty: not known
bool store_type_is_rights(struct span name); // Access, IdAccess, Group: of use to own nodes only
// Notes a BLOB that an object refers to and that the person who showed it could not deliver (WIRE.md 9.4); nothing
// happens if that person has sent it. Objects that lack nothing else are offered only to those who showed it to us.
enum status store_want_file(struct store *s, const struct hash *hash, const struct hash *shown_by, struct error *e);
bool store_is_wanted(struct store *s, const struct hash *hash);   // known by name, content lost or never here
bool store_has_lost(struct store *s);                             // objects that were here and are not any more
bool store_is_complete(struct store *s, const struct hash *hash); // it is here, and nothing below it is missing
// Of what was found in a store's folder (store/verify.h). Notes that something is lost, if it is: whoever has it is
// asked for it.
enum status store_lose(struct store *s, const struct hash *hash, struct error *e);
// The next opening makes the database anew from what is left.
void store_rebuild_next(const struct store *s);
// Takes in again what counts as missing and of which a file has the bytes.
enum status store_find_again(struct store *s, const struct hash *hash, struct error *e);
// What came back as mere bytes becomes the object that it is, without effects until somebody may show it.
enum status store_reread(struct store *s, const struct hash *hash, struct error *e);
// What is lost is made again, if that can be done: an object that is nothing but its id and its links (grants, groups,
// the contact book, entries of linked lists), and an id object of which a version is here.
enum status store_remake(struct store *s, const struct hash *hash, struct error *e);
// Everything that is present or remote, oldest first; visit may use and change the store.
typedef enum status (*store_each_fn)(const struct hash *hash, const struct store_info *info, void *arg,
                                     struct error *e);
enum status store_each(struct store *s, store_each_fn visit, void *arg, struct error *e);
enum status store_find_prefix(struct store *s, struct span hex_prefix, struct hash_list *matches, size_t limit,
                              struct error *e);

// ---- Files: BLOBs and CLOBs, streamed -------------------------------------------------------------------------------

struct store_writer;
enum { STORE_CHUNK = 64 << 10 };

enum status store_writer_create(struct store *s, bool is_clob, struct store_writer **out, struct error *e);
enum status store_writer_add(struct store_writer *w, struct span bytes, struct error *e);
// Of one that many bytes are added to: begins to bring to the disk what was added; makes it durable, so that its end
// does not take long. One thread at a time has a writer, and it need not be the store's until the end. After a failure
// it can only be destroyed.
void store_writer_flush(struct store_writer *w);
enum status store_writer_sync(struct store_writer *w, struct error *e);
// Ends the file, on the store's thread. With expected, a different hash is refused ("CIEC-FBL2") and nothing is kept.
enum status store_writer_finish(struct store_writer *w, const struct hash *expected, struct hash *hash, bool *is_new,
                                struct error *e);
void store_writer_destroy(struct store_writer *w); // also after finish; drops an unfinished file
// Appends up to STORE_CHUNK bytes at offset to out; fewer only at the end.
enum status store_read_chunk(struct store *s, const struct hash *hash, uint64_t offset, struct buf *out,
                             struct error *e);

// ---- Versions ------------------------------------------------------------------------------------------------------

// The store as data/version.h wants it; valid as long as the store.
const struct version_source *store_versions(struct store *s);
enum status store_head(struct store *s, const struct hash *id_hash, struct hash *node, struct error *e);
// The data object of the head.
enum status store_current(struct store *s, const struct hash *id_hash, struct arena *a, struct object *o,
                          struct error *e);

// ---- Links ---------------------------------------------------------------------------------------------------------

struct store_child {
    enum link_kind kind;
    struct hash hash;
};
struct store_children {
    struct store_child *items;
    size_t count;
};
// Everything reachable, in the order of WIRE.md 10.5 (DATA-MODEL.md 10.2), without the object itself; answered from the
// link index. STATUS_NOT_FOUND "SB-READ2" if something needed is missing. The caller frees items.
enum status store_children(struct store *s, const struct hash *hash, struct store_children *out, struct error *e);
// Objects (id_objects = false) or id objects of a type that link to target, oldest first. type may be empty = any.
enum status store_referrers(struct store *s, const struct hash *target, struct span type, bool id_objects,
                            struct hash_list *out, struct error *e);
// The same, only those that are the current version of their id (DATA-MODEL.md 9).
enum status store_current_referrers(struct store *s, const struct hash *target, struct span type, struct hash_list *out,
                                    struct error *e);
// All ids of a versioned type that have a head, oldest first.
enum status store_ids_of_type(struct store *s, struct span type, struct hash_list *out, struct error *e);

// ---- Where things came from ----------------------------------------------------------------------------------------

// What is stored from now on came from this person's node, until it is called with NULL. Who sent an object is noted
// with it, and who else did later.
void store_set_sender(struct store *s, const struct hash *person);
// What the sender sends from now on is part of something else: such an object has no effect of its own until it is
// stored without this mark, by a sender or by us; then it is announced.
void store_set_parts(struct store *s, bool parts);
bool store_is_admitted(struct store *s, const struct hash *hash); // complete, and not here as a part only
// The versions before this one are here on their own account too: they are its history.
enum status store_admit_history(struct store *s, const struct hash *node, struct error *e);
// Notes that the sender has it, without its having been sent; nothing happens if it is not here.
enum status store_vouch(struct store *s, const struct hash *hash, struct error *e);

// What a person may have from us: what its node sent, and what lies below what we show it. Whoever links to something
// else that is here has it sent first, so that a hash alone opens nothing.
struct store_knowledge;
enum store_link { STORE_LINK_MISSING, STORE_LINK_OTHER_KIND, STORE_LINK_STRANGE, STORE_LINK_KNOWN };
// self: we, whom everybody knows who talks to us. all: the person has everything (another node of our own).
struct store_knowledge *store_knowledge_create(struct store *s, const struct hash *person, const struct hash *self,
                                               bool all);
void store_knowledge_destroy(struct store_knowledge *k);
// What was found out for the same person before counts here too. Touches no store.
void store_knowledge_learn(struct store_knowledge *k, const struct store_knowledge *from);
// How the target of a link stands here. Costs a few look-ups at most; in doubt it is strange. What was asked before
// helps: ask from above downwards.
enum store_link store_knowledge_of(struct store_knowledge *k, enum link_kind kind, const struct hash *target);
// About the last answer: known only because it is shown to the person; somebody else's node sent it. In a store that
// was made anew that is everything, and to look up again and again how it is shown would be too much.
bool store_knowledge_is_borrowed(const struct store_knowledge *k);
bool store_came_from(struct store *s, const struct hash *hash, const struct hash *person);
// What came from the person's node first, in the order it came, behind *after, which moves on; limit of it at most.
enum status store_given_by(struct store *s, const struct hash *person, int64_t *after, size_t limit,
                           struct hash_list *out, struct error *e);

// ---- Access (DATA-MODEL.md 10.1) -----------------------------------------------------------------------------------

// Grants and revocations are current versions of Access, IdAccess and Group objects; the store follows their heads and
// keeps scope, scope_log and member (docs/architecture.md, "Feeds"), so that a person's roots are answered
// incrementally.
//
// Emits the JSON entries of WIRE.md 10.4 for person, without the brackets: one call per root, fragment without comma.
// Left out and counted in *skipped: grants that cannot be resolved, Access, IdAccess, Group objects, incomplete trees.
typedef enum status (*store_root_fn)(struct span fragment, const struct hash *node_or_object,
                                     const struct hash *id_hash, void *arg);
// An id stands before its versions, the oldest of them first; but of a channel an edge that is as the current one.
enum status store_roots(struct store *s, const struct hash *person, store_root_fn emit, void *arg, uint64_t *skipped,
                        struct error *e);
// What the person's node is offered of them: a version that lost to one from elsewhere is left out, as a reference peer
// takes in the deepest alone, and would never look at the one that won.
enum status store_roots_offered(struct store *s, const struct hash *person, store_root_fn emit, void *arg,
                                uint64_t *skipped, struct error *e);
// Does a part of the walk that finds what is withheld from the person; *ready: there is none left to do for
// store_roots, which otherwise does all of it.
enum status store_roots_prepare(struct store *s, const struct hash *person, bool *ready, struct error *e);
// The type that an entry ends with, which spares looking it up; empty if the name is written with escapes.
struct span store_root_type(struct span fragment);
// For another node of our own: also what lacks BLOBs that nobody could deliver, and Access, IdAccess and Group objects.
enum status store_roots_own(struct store *s, const struct hash *person, store_root_fn emit, void *arg,
                            uint64_t *skipped, struct error *e);
// Shows an id with all its versions, or one object, to the person although nothing grants it, until it is called with
// offered = false. Asking again changes nothing. It is forgotten when the database has to be made anew.
enum status store_offer(struct store *s, const struct hash *person, bool is_id, const struct hash *target, bool offered,
                        struct error *e);
// Leaves objects of a type, or with an empty type one object, and everything they are part of out of the person's
// roots: a node that cannot take over a version would end the session each time it is offered (WIRE.md 10.8). Of a
// person the last few things count, each once. Kept in memory.
void store_withhold(struct store *s, const struct hash *person, struct span type, const struct hash *object);
void store_withhold_nothing(struct store *s, const struct hash *person);
// A number that changes whenever the roots of the person may have changed: cheap to ask, for caching the list.
enum status store_roots_version(struct store *s, const struct hash *person, uint64_t *version, struct error *e);
// *end is store_feed_end, and becomes what it was when that number was first seen: it says nothing of what else the
// store learned.
enum status store_roots_end(struct store *s, const struct hash *person, int64_t *end, struct error *e);

// ---- Small things --------------------------------------------------------------------------------------------------

// Results of mutating control requests by operation id, written in the transaction of their effect and kept for 24 h in
// which the store is in use, whatever the clock says.
enum status store_op_get(struct store *s, struct span op_id, struct arena *a, struct span *result, struct error *e);
enum status store_op_put(struct store *s, struct span op_id, struct span result, struct error *e);
// Settings of the node itself, small values by name (not data-model objects).
// The name of a setting about one object or person: "KIND.HEX". kind: a literal of at most 15 bytes.
struct store_setting_name {
    char s[16 + HASH_HEX + 1];
};
struct store_setting_name store_setting_about(const char *kind, const struct hash *hash);
enum status store_setting_get(struct store *s, const char *name, struct arena *a, struct span *value, struct error *e);
enum status store_setting_set(struct store *s, const char *name, struct span value, struct error *e);
// What was found out while reading, where nothing can be written: kept with the next commit or maintenance, a few of
// them, of at most STORE_NOTE_MAX bytes.
enum { STORE_NOTE_MAX = 64 };
void store_setting_note(struct store *s, const struct store_setting_name *name, struct span value);

struct store_totals {
    uint64_t objects;
    uint64_t bytes;
};
enum status store_totals(struct store *s, struct store_totals *out, struct error *e);

// What takes the room: one call per type and presence, the biggest first. Looks at every object.
struct store_usage {
    enum store_content kind;
    const char *type;             // empty for files and for what is known by name only
    enum store_presence presence; // absent: known by name, wanted
    uint64_t objects;
    uint64_t bytes; // of present ones: what they take
};
typedef void (*store_usage_fn)(const struct store_usage *usage, void *arg);
enum status store_measure(struct store *s, store_usage_fn visit, void *arg, struct error *e);

enum { STORE_LOSS_PROPERTY = 128, STORE_LOSS_VALUE = 256 };

// What a version says and the current one does not, since another one was written at the same time (data/version.h).
struct store_loss {
    char property[STORE_LOSS_PROPERTY]; // the beginning, if it is longer
    char value[STORE_LOSS_VALUE];       // JSON; the beginning, if it is longer
    bool is_cut;
};

// Called on the store thread inside the transaction, after an object became present or a head moved; the model layer's
// reactions (MODELS.md 6.3, 7.4) hang here. A hook may write; what it writes is announced too, after it returned. Of
// losses it is not told.
struct store_change {
    enum { STORE_CHANGE_OBJECT, STORE_CHANGE_HEAD, STORE_CHANGE_LOSS } kind;
    const char *type;
    struct hash hash;    // object hash; losses: of the version that says it
    struct hash id_hash; // versioned types
    struct hash node;    // head changes: the new node
    struct hash from;    // the person whose node sent it; zero = it was made here
    bool part;           // objects: it came as part of something else only
    enum store_content content;
    uint64_t size;           // objects and files
    struct store_loss *loss; // NULL but for losses
};
typedef enum status (*store_hook)(struct store *s, const struct store_change *change, void *ctx, struct error *e);
void store_set_hook(struct store *s, store_hook hook, void *ctx);
// Runs the hook for everything not yet announced; the queue calls it at the end of each job, tests call it themselves.
enum status store_announce(struct store *s, struct error *e);

// Settles bodies into files (archive), checkpoints, drops old operations; called by the queue when idle. *more = call
// again.
enum status store_maintain(struct store *s, int64_t now_ms, bool *more, struct error *e);
