// CMake writes built.h (cmake/TandemBuilt.cmake) when it is run: what it lists was looked for then, and is no promise
// about the libraries that are loaded now.
#include "supervisor/ctl/version.h"

#include <stdio.h>

#include "built.h"
#include "supervisor/ctl/output.h"

struct library {
    const char *name;
    const char *version;
};

static const char *const features[] = {BUILT_FEATURES};
static const struct library libraries[] = {BUILT_LIBRARIES};

static void show_document(void)
{
    json_t *has = json_array();
    json_t *with = json_object();
    for (const char *const *f = features; *f != NULL; f++)
        json_array_append_new(has, json_string(*f));
    for (const struct library *l = libraries; l->name != NULL; l++)
        json_object_set_new(with, l->name, json_string(l->version));
    output_json(json_pack("{s:s, s:o, s:o}", "version", TANDEM_VERSION, "features", has, "libraries", with));
}

void version_show(const struct ctl *c)
{
    if (c->json) {
        show_document();
        return;
    }
    fputs("tandem " TANDEM_VERSION "\nfeatures:", stdout);
    for (const char *const *f = features; *f != NULL; f++)
        printf(" %s", *f);
    fputs("\nbuilt with:", stdout);
    for (const struct library *l = libraries; l->name != NULL; l++)
        printf("%s %s %s", l == libraries ? "" : ",", l->name, l->version);
    putchar('\n');
}
