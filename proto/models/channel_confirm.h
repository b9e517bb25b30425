// What a merge of a channel brings together is in no version that others list (DATA-MODEL.md 8.9). Usually they merge
// the same by themselves; but a reference peer that answers while it takes in a word can lose the word from its list
// (WIRE.md 13.13), and would miss it until the next post.
#pragma once

#include "models/model.h"

// For every channel whose head was moved by what a contact sent. If that is a merge of two versions of which each has
// entries that the other one lacks, it becomes a version that is listed, once. It has no end only if somebody goes on
// posting: whoever takes in such a version lacks nothing, and does not answer with another one. Only for channels
// without owner, which several write to. What was left behind (channel_base.h) does not count, nor
// what lies deeper than some thousand entries.
enum status channel_confirm(struct model *m, const struct hash *id_hash, struct error *e);
