// config set: one line of tandem.conf.
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "io/folder.h"
#include "supervisor/config_edit.h"
#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"

// Settings may be made before the first start, which makes that folder, too.
static enum status make_state_dir(const struct ctl *c, struct error *e)
{
    return ctl_has(c, "config") ? STATUS_OK : folder_create(c->state_dir, 0700, e);
}

static void tell(const char *path, const char *key, bool given, bool had)
{
    const char *next = strcmp(key, "ui.listen") == 0 ? "'tandem ui'" : "start";
    output_text(path);
    if (!given && !had)
        puts(" did not have it; nothing was changed.");
    else if (given)
        printf(" has it. It counts from the next %s on, unless an option or the environment says otherwise.\n", next);
    else
        printf(" no longer has it. The default counts from the next %s on, unless an option or the environment says "
               "otherwise.\n",
               next);
}

enum status run_config_set(struct ctl *c, struct error *e)
{
    const char *given = ctl_value(c, "config");
    bool had;
    struct buf path = {0};
    if (given != NULL)
        buf_add_text(&path, given);
    else
        buf_printf(&path, "%s/tandem.conf", c->state_dir);
    const char *key = c->arguments[0];
    const char *value = c->argument_count == 2 ? c->arguments[1] : NULL;
    enum status s = config_edit_check(key, value, e);
    if (s == STATUS_OK)
        s = make_state_dir(c, e);
    if (s == STATUS_OK)
        s = config_edit(buf_cstr(&path), key, value, &had, e);
    if (s == STATUS_OK && c->json) {
        output_json(json_pack("{s:s, s:s}", "file", buf_cstr(&path), "key", key));
    } else if (s == STATUS_OK) {
        tell(buf_cstr(&path), key, value != NULL, had);
    }
    buf_free(&path);
    return s;
}
