// What object.c needs to know beyond the value while microdata is being read.
#pragma once

#include "data/microdata.h"

struct microdata_parts {
    const struct recipe *recipe;
    struct buf id_properties; // the texts of the id properties as they stand in the object; caller frees
};

enum status microdata_read_parts(const struct recipes *recipes, struct arena *a, struct span text,
                                 enum microdata_form form, struct span expected_type, struct value **object,
                                 struct microdata_parts *parts, struct error *e);
