// What parameters of control requests are called: P_ and the name as the protocol has it. A name that is not in the
// list does not compile, neither in a row of the table of methods nor where a handler reads it.
#pragma once

// clang-format off
#define IPC_PARAM_NAMES(X) \
    X(after) X(alone) X(archiveEmail) X(as) X(aside) X(attachments) X(backup) X(before) X(blob) X(bootId) X(bytes) \
    X(certificate) X(code) X(config) X(create) X(cursor) X(data) X(days) X(done) X(email) X(ended) X(epoch) X(errors) \
    X(everyone) X(face) X(fields) X(for) X(forget) X(from) X(group) X(hash) X(history) X(host) X(id) X(idHash) \
    X(image) X(importName) X(importNode) X(importSecret) X(instanceId) X(instanceKey) X(instanceName) X(invitation) \
    X(items) X(jobId) X(keep) X(key) X(keysCopy) X(known) X(length) X(limit) X(listening) X(mail) X(message) X(name) \
    X(newBytes) X(newKey) X(newSecret) X(next) X(node) X(object) X(objects) X(offset) X(opId) X(organisation) X(owner) \
    X(person) X(personId) X(persons) X(phone) X(port) X(preferredPort) X(recipe) X(recreate) X(repair) X(restoring) \
    X(role) X(sealed) X(secret) X(seq) X(since) X(size) X(sparseEmail) X(status) X(store) X(takeOver) X(text) \
    X(thumbnails) X(tied) X(time) X(timeoutMs) X(timestamp) X(to) X(topic) X(total) X(ttl) X(type) X(unread) X(url) \
    X(user) X(value) X(via) X(wait) X(waiting) X(waitMs) X(waitS) X(wipe) X(with)
// clang-format on

#define IPC_PARAM(name) P_##name,
enum ipc_name { IPC_PARAM_NAMES(IPC_PARAM) IPC_NAMES };
#undef IPC_PARAM

extern const char *const IPC_NAME_TEXTS[IPC_NAMES];
