// Chat messages in topics, with attachments and thumbnails (MODELS.md 6.4).
#pragma once

#include "models/topic.h"

enum { CHAT_MAX_TEXT = 1 << 20, CHAT_MAX_ATTACHMENTS = 64 };

struct chat_attachment {
    struct hash hash; // the BLOB, stored before
    struct span name;
    struct span type; // MIME type; empty = application/octet-stream
    uint64_t size;
    int64_t last_modified_ms;
    struct hash thumbnail;      // BLOB of a preview image; zero = none
    struct span thumbnail_type; // MIME type; empty = image/png
    bool present;               // when read: the BLOB's bytes are here
};

struct chat_message {
    struct hash id; // CreationTime hash: the same on every node, before and after merges
    struct span text;
    struct hash sender; // what the message says
    bool has_author;
    struct hash author;             // who signed it
    enum verification verification; // forged also when the author is not the sender
    int64_t timestamp;
    struct chat_attachment *attachments;
    size_t attachment_count;
};

struct chat_messages {
    struct chat_message *items;
    size_t count;
    bool more;                        // older ones exist
    int64_t latest;                   // time of all that was read, whatever it was; INT64_MIN: nothing was
    size_t holes;                     // messages of the page, or near it, that are lost here
    const struct channel_entry *late; // of chat_arrivals: what came of a time that is deleted
    size_t late_count;
};

struct chat_sent {
    struct hash id;
    struct hash channel; // ChannelInfo id hash
    struct hash message; // ChatMessage object
    int64_t timestamp;
};

// Codes: BAD-TEXT, TOO-BIG, NOT-FOUND (a BLOB that is not stored), NOT-TRUSTED (chat_send_to: no such contact).
enum status chat_send(struct model *m, const struct topic *topic, struct span text,
                      const struct chat_attachment *attachments, size_t count, struct chat_sent *out, struct error *e);
// The same for another own node, which will post it as its own (sender): the message with its id, stored here without
// being posted. channels are those it comes behind, behind a time it comes after as well (channel_next_time). Files are
// granted to that node. out->channel is not filled.
enum status chat_write_for(struct model *m, const struct hash *sender, const struct hash_list *channels, double behind,
                           struct span text, const struct chat_attachment *attachments, size_t count,
                           struct chat_sent *out, struct error *e);
struct chat_written { // by another own node, in our name
    struct span text;
    struct hash_list attachments; // BlobDescriptors
    struct hash_list thumbnails;
    double timestamp;
};
// Posts it; again changes nothing. Codes as chat_send, and BLOB-UNAVAILABLE: a file is not here yet.
enum status chat_post_written(struct model *m, const struct topic *topic, const struct chat_written *written,
                              struct chat_sent *out, struct error *e);
// The descriptors of a stored message, which the caller frees.
enum status chat_files(struct model *m, const struct hash *message, struct hash_list *attachments,
                       struct hash_list *thumbnails, struct error *e);
// The descriptor of a file that nobody has given a name: what is granted in its place, as only objects are offered. The
// same each time.
enum status chat_describe_file(struct model *m, const struct hash *file, struct hash *out, struct error *e);
// To the one-to-one topic of a contact, made on first use.
enum status chat_send_to(struct model *m, const struct hash *person, struct span text,
                         const struct chat_attachment *attachments, size_t count, struct chat_sent *out,
                         struct error *e);
// The messages among the entries.
void chat_show(struct model *m, const struct channel_entries *entries, struct chat_messages *out);
// The newest limit messages of some channels as one conversation before an id (NULL = all), oldest first.
enum status chat_page_of(struct model *m, const struct hash_list *channels, size_t limit, const struct hash *before,
                         struct chat_messages *out, struct error *e);
// What came to them since a cursor of channel_since; an empty cursor starts at the first message.
enum status chat_since_of(struct model *m, const struct hash_list *channels, struct span cursor, size_t limit,
                          struct chat_messages *out, struct span *next, struct error *e);
// A message that lies here without having been posted here: as it will be shown.
enum status chat_unposted(struct model *m, const struct hash *id, struct chat_message *out, struct error *e);
// The same of one channel, unverified: author and verification are not filled.
enum status chat_arrivals(struct model *m, const struct hash *channel, struct span cursor, size_t limit,
                          struct chat_messages *out, struct span *next, struct error *e);
// The text of a message by its id. STATUS_NOT_FOUND for anything else.
enum status chat_text(struct model *m, const struct hash *id, struct span *text, struct error *e);
// The topic of a contact for reading; STATUS_NOT_FOUND if nothing was said yet. Contacts need not be listed any more.
enum status chat_with(struct model *m, const struct hash *person, struct topic *out, struct error *e);
enum status chat_between(struct model *m, const struct hash *self, const struct hash *person, struct topic *out,
                         struct error *e); // self: this node's or another own person
