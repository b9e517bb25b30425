// The tags around values, shared by writing and reading microdata (DATA-MODEL.md 3.2).
#pragma once

#include "data/recipe.h"

struct microdata_tag {
    const char *element;      // of a property: <ELEMENT itemprop="…"ATTRIBUTE>
    const char *attribute;    // "" or ` data-type="obj"` and so on
    struct span close;        // </ELEMENT>
    struct span inside;       // opening tag inside li, dt and dd; empty for scalars, which then have none at all
    struct span inside_close; // closing tag there
};

extern const struct microdata_tag microdata_tags[TYPE_OBJECT + 1]; // by enum type_kind

#define MICRODATA_END SPAN("</div>")
#define MICRODATA_ITEM SPAN("<li>")
#define MICRODATA_ITEM_END SPAN("</li>")
#define MICRODATA_KEY SPAN("<dt>")
#define MICRODATA_KEY_END SPAN("</dt>")
#define MICRODATA_ENTRY SPAN("<dd>")
#define MICRODATA_ENTRY_END SPAN("</dd>")
