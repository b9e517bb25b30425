// What is told as events of the store's changes: objects, files, versions, channels, topics, chat messages.
//
// Loop thread. A message is told when its channel shows it, which a reading on the store thread finds out.
#pragma once

#include "node/peers.h"
#include "store/store.h"

struct news;

struct news *news_create(struct node *n); // from here on
void news_destroy(struct news *news);     // when no store job can come back any more; NULL-safe
// A pairing is stored: topics that come with it are told of when the contact was told of, which news_release says.
void news_hold(struct news *news);
void news_release(struct news *news);
void news_tell(struct news *news, const struct store_change *changes, size_t count);
