// An object with everything that follows from its bytes: type, hashes, id object and links. This is what stores take
// and what exporters walk.
#pragma once

#include "data/microdata.h"

// On disk: column kind of table link.
enum link_kind { LINK_OBJECT = 0, LINK_ID = 1, LINK_CLOB = 2, LINK_BLOB = 3 };

struct link {
    enum link_kind kind;
    struct hash target;
    struct span path; // property names, list positions and map keys joined by dots (DATA-MODEL.md 9); the path of a
                      // link that is itself a map key has "!key!" in front of the key
};

struct object {
    const struct recipe *recipe;
    enum microdata_form form;
    struct span microdata;
    struct hash hash; // of microdata; for an id object this is the id hash
    struct value *value;
    struct hash id_hash;      // versioned types and id objects; else zero
    struct span id_microdata; // versioned types; for an id object the same as microdata
    const struct link
        *links; // direct links in the order they stand in the text (DATA-MODEL.md 10.2), repetitions included
    size_t link_count;
};

// From received or stored bytes. If expected is not NULL the SHA-256 must equal it ("CIEC-FO2" / "CIEC-FIDO2").
// Everything in *out lives in the arena, except the bytes of microdata, which are borrowed from text.
enum status object_read(const struct recipes *r, struct arena *a, struct span text, enum microdata_form form,
                        const struct hash *expected, struct object *out, struct error *e);

// From a value: writes it first. The microdata then lives in the arena too.
enum status object_make(const struct recipes *r, struct arena *a, const struct value *value, enum microdata_form form,
                        struct object *out, struct error *e);

// Id hash of a value whose id properties are set, without making the whole object.
enum status object_id_hash(const struct recipes *r, const struct value *value, struct hash *out, struct error *e);

// The direct links of a value of the type in its own order, which for bags and sets may differ from that of the text.
void object_links(struct arena *a, const struct recipe *recipe, const struct value *value, const struct link **links,
                  size_t *count);

bool object_is_type(const struct object *o, const char *name);
