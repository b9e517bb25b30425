// What an old, damaged database still gives.
#pragma once

#include "store/store.h"

struct salvage; // an old, damaged database

struct salvage *salvage_open(const char *path);
void salvage_close(struct salvage *old);
typedef enum status (*salvage_body)(const struct hash *hash, struct span body, void *arg, struct error *e);
enum status salvage_bodies(struct salvage *old, salvage_body visit, void *arg, struct error *e);
typedef enum status (*salvage_pair)(const struct hash *first, const struct hash *second, void *arg, struct error *e);
enum status salvage_heads(struct salvage *old, salvage_pair visit, void *arg, struct error *e);
enum status salvage_names(struct salvage *old, salvage_pair visit, void *arg, struct error *e);   // second: NULL
enum status salvage_deleted(struct salvage *old, salvage_pair visit, void *arg, struct error *e); // second: NULL
enum status salvage_hidden(struct salvage *old, salvage_pair visit, void *arg, struct error *e);  // second: NULL

typedef enum status (*salvage_origin)(const struct hash *hash, int64_t source, bool part, void *arg, struct error *e);
enum status salvage_origins(struct salvage *old, salvage_origin visit, void *arg, struct error *e);
enum status salvage_settings(struct salvage *old, struct store *s, struct error *e);
enum status salvage_outbox(struct salvage *old, struct store *s, struct error *e);
enum status salvage_deliveries(struct salvage *old, struct store *s, struct error *e);
