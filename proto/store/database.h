// The two ways into the database.
#pragma once

#include "store/store.h"

char *database_path(const struct store *s); // caller frees
enum status database_open(struct store *s, bool may_create, struct error *e);
void database_close(struct store *s);
// What is read in between is one state of the database, the committed one: also while a transaction is open, of which
// it shows nothing, neither rows nor what the store keeps in memory. Nothing can be written. false: not now, while the
// transaction is open.
bool store_begin_reading(struct store *s);
void store_end_reading(struct store *s);
bool store_is_snapshot(const struct store *s); // reading beside an open transaction
bool store_gave_up(const struct store *s);     // the open transaction is gone; committing it will fail
enum status store_need_transaction(const struct store *s, struct error *e);
