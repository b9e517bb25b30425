// getopt_long says which option it was by its index, so that letters have no meaning anywhere.
#include "base/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

enum { FOUND = 1 };

static bool take_number(const char *text, size_t *out)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || n > OPTION_NUMBER_MAX)
        return false;
    *out = n;
    return true;
}

static enum status take(const struct option_row *row, const char *value, struct error *e)
{
    struct buf *words = row->to;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)row->to = true;
        break;
    case OPTION_TEXT:
        *(const char **)row->to = value;
        break;
    case OPTION_WORDS:
        buf_printf(words, "%s%s", words->len > 0 ? " " : "", value);
        break;
    case OPTION_NUMBER:
        if (!take_number(value, row->to))
            return error_set(e, STATUS_INVALID, "USAGE", "%.100s is not a number up to %d", value, OPTION_NUMBER_MAX);
        break;
    }
    return STATUS_OK;
}

enum status options_read(int argc, char **argv, const struct option_row *rows, struct error *e)
{
    struct option names[OPTIONS_MAX + 1] = {{0}};
    int index = 0;
    opterr = 0;
    optind = 0; // begins anew, also in a process that read others before
    for (size_t i = 0; i < OPTIONS_MAX && rows[i].name != NULL; i++)
        names[i] =
            (struct option){rows[i].name, rows[i].kind == OPTION_FLAG ? no_argument : required_argument, NULL, FOUND};
    for (int o; (o = getopt_long(argc, argv, "", names, &index)) != -1;) {
        if (o != FOUND)
            return error_set(e, STATUS_INVALID, "USAGE", "'%.100s' is unknown or lacks its value", argv[optind - 1]);
        enum status status = take(&rows[index], optarg, e);
        if (status != STATUS_OK)
            return status;
    }
    if (optind != argc)
        return error_set(e, STATUS_INVALID, "USAGE", "'%.100s' is not expected", argv[optind]);
    return STATUS_OK;
}
