// Making the database anew.
#pragma once

#include "store/store.h"

// foreign: the database there is is of another store, and nothing of it is taken.
enum status recover_database(struct store *s, bool foreign, struct store_report *report, struct error *e);
