// tandem: finds the command in the table, reads its options, runs it, and turns its outcome into an exit status.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/dumps.h"
#include "base/inherited.h"
#include "base/text.h"
#include "crypto/secret.h"
#include "ipc/methods.h"
#include "supervisor/ctl/help.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/version.h"
#include "supervisor/statedir.h"
#include "wall/wall.h"

enum { OPTION_STATE_DIR = 1000, OPTION_JSON, OPTION_TIMEOUT, OPTION_NODE, OPTION_HELP, OPTION_VERSION, OPTION_OWN };

static const struct option global_options[] = {
    {"state-dir", required_argument, NULL, OPTION_STATE_DIR},
    {"json", no_argument, NULL, OPTION_JSON},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"node", required_argument, NULL, OPTION_NODE},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
};

enum { GLOBALS = sizeof global_options / sizeof *global_options };

struct typed {
    const char *state_dir;
    const char *timeout;
    bool help;
    bool version;
};

static const struct ctl_command *find(const char *first, const char *second, bool *two_words)
{
    struct buf both = {0};
    const struct ctl_command *found = NULL;
    buf_printf(&both, "%s %s", first, second != NULL ? second : "");
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++) {
        *two_words = strcmp(CTL_COMMANDS[i].name, buf_cstr(&both)) == 0;
        if (*two_words || strcmp(CTL_COMMANDS[i].name, first) == 0) {
            found = &CTL_COMMANDS[i];
            if (*two_words)
                break;
        }
    }
    *two_words = found != NULL && strchr(found->name, ' ') != NULL;
    buf_free(&both);
    return found;
}

static void make_options(const struct ctl_command *command, struct option *out, char *letters)
{
    memcpy(out, global_options, sizeof global_options);
    size_t n = GLOBALS;
    *letters++ = command == NULL ? '+' : '-'; // before the command: stop at it; behind it: keep what is no option
    *letters++ = ':';
    *letters++ = 'h';
    for (int i = 0; command != NULL && command->options[i].name != NULL; i++) {
        const struct ctl_option *o = &command->options[i];
        out[n++] = (struct option){o->name, o->value != NULL ? required_argument : no_argument, NULL, OPTION_OWN + i};
        if (o->letter != '\0') {
            *letters++ = o->letter;
            if (o->value != NULL)
                *letters++ = ':';
        }
    }
    *letters = '\0';
    out[n] = (struct option){0};
}

static bool take_global(struct ctl *c, struct typed *t, int o)
{
    switch (o) {
    case OPTION_STATE_DIR:
        t->state_dir = optarg;
        return true;
    case OPTION_JSON:
        c->json = true;
        return true;
    case OPTION_TIMEOUT:
        t->timeout = optarg;
        return true;
    case OPTION_NODE:
        c->node = optarg;
        return true;
    case OPTION_HELP:
    case 'h':
        t->help = true;
        return true;
    case OPTION_VERSION:
        t->version = true;
        return true;
    default:
        return false;
    }
}

static const struct ctl_option *own_option(const struct ctl_command *command, int o)
{
    if (command == NULL)
        return NULL;
    for (int i = 0; command->options[i].name != NULL; i++)
        if (o == OPTION_OWN + i || (o < 256 && o > 1 && o == command->options[i].letter))
            return &command->options[i];
    return NULL;
}

static void give(struct ctl *c, const struct ctl_option *option, const char *value)
{
    c->given = mem_resize(c->given, (c->given_count + 1) * sizeof *c->given);
    c->given[c->given_count++] = (struct ctl_given){option, value};
}

// Texts and tokens may begin with a dash.
static bool is_no_option(const struct ctl_command *command, const char *word)
{
    bool dash = command != NULL && word != NULL && word[0] == '-' && word[1] != '\0' && word[1] != '-';
    return dash && strcmp(word, "-h") != 0 && own_option(command, (unsigned char)word[1]) == NULL;
}

static int next_option(struct ctl *c, int argc, char **argv, const char *letters, const struct option *options)
{
    while (optind < argc && is_no_option(c->command, argv[optind]))
        c->arguments[c->argument_count++] = argv[optind++];
    return getopt_long(argc, argv, letters, options, NULL);
}

static enum status take_options(struct ctl *c, struct typed *t, int argc, char **argv, struct error *e)
{
    struct option options[GLOBALS + CTL_OPTIONS + 1];
    char letters[2 * CTL_OPTIONS + 5];
    make_options(c->command, options, letters);
    opterr = 0;
    optind = 0;
    (void)getopt_long(1, argv, letters, options, NULL); // starts over
    for (int o; (o = next_option(c, argc, argv, letters, options)) != -1;) {
        const struct ctl_option *own = own_option(c->command, o);
        if (o == 1)
            c->arguments[c->argument_count++] = optarg;
        else if (o == ':')
            return ctl_usage(e, "'%s' wants a value", argv[optind - 1]);
        else if (own != NULL)
            give(c, own, own->value != NULL ? optarg : NULL);
        else if (!take_global(c, t, o))
            return ctl_usage(e, "there is no option '%.60s' here", argv[optind - 1]);
    }
    for (; c->command != NULL && optind < argc; optind++)
        c->arguments[c->argument_count++] = argv[optind];
    return STATUS_OK;
}

static enum status no_such_command(const char *first, const char *second, struct error *e)
{
    char names[300];
    const char *near = help_nearest(first, second);
    if (help_is_group(first)) {
        help_subcommands(first, names, sizeof names);
        return ctl_usage(e, "'%.40s' has no '%.40s';%s%s%s it has %s", first, second,
                         near != NULL ? " did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "",
                         names);
    }
    help_ending(first, names, sizeof names);
    if (near != NULL)
        return ctl_usage(e, "there is no command '%.40s'; did you mean '%s'?", first, near);
    if (names[0] != '\0')
        return ctl_usage(e, "there is no command '%.40s'; there are %s", first, names);
    return ctl_usage(e, "there is no command '%.40s'; 'tandem --help' lists them", first);
}

static enum status find_command(struct ctl *c, int argc, char **argv, int *rest, struct error *e)
{
    bool two_words = false;
    if (optind >= argc)
        return ctl_usage(e, "no command was given; 'tandem --help' lists them");
    const char *second = optind + 1 < argc ? argv[optind + 1] : NULL;
    c->command = find(argv[optind], second, &two_words);
    if (c->command == NULL)
        return no_such_command(argv[optind], second, e);
    *rest = optind + (two_words ? 1 : 0);
    return STATUS_OK;
}

static enum status check(struct ctl *c, const struct typed *t, struct error *e)
{
    enum ipc_node node;
    char *end = NULL;
    c->timeout_s = c->command->timeout_s;
    if (t->timeout != NULL) {
        long n = strtol(t->timeout, &end, 10);
        if (*t->timeout == '\0' || *end != '\0' || n < 1 || n > 3600 * 24)
            return ctl_usage(e, "--timeout wants 1 to 86400 seconds, not '%.40s'", t->timeout);
        c->timeout_s = (int)n;
    }
    if (c->node != NULL && !ipc_node_parse(c->node, &node))
        return ctl_usage(e, "--node is archive or sparse, not '%.40s'", c->node);
    if (c->node != NULL && !help_takes_node(c->command))
        return ctl_usage(e, "%s is for the installation as a whole, without --node", c->command->name);
    if (c->argument_count < c->command->least)
        return ctl_usage(e, "%s wants %s", c->command->name, c->command->arguments);
    if (c->argument_count > c->command->most)
        return ctl_usage(e, "%s: '%.60s' is one argument too many", c->command->name, c->arguments[c->command->most]);
    for (int i = 0; i < c->argument_count; i++)
        if (c->arguments[i][0] == '\0' && help_wants_path(c->command, i))
            return ctl_usage(e, "%s wants %s, not an empty one", c->command->name, c->command->arguments);
    for (int i = 0; i < c->argument_count; i++)
        if (!utf8_valid(span_of(c->arguments[i])))
            return error_set(e, STATUS_INVALID, "BAD-TEXT", "argument %d is not valid UTF-8", i + 1);
    return statedir_choose(t->state_dir, &c->state_dir, e);
}

// Those that become other programs, whose walls are their own, go without.
static enum status enter_walls(const struct ctl *c, struct error *e)
{
    static const char *const without[] = {"up", "relay", "demo", "simulate", "ui"};
    const char *name = c->command->name;
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        if (strcmp(name, without[i]) == 0)
            return STATUS_OK;
    return wall_enter(strcmp(name, "doctor") == 0 ? WALL_DOCTOR : WALL_TANDEM, NULL, 0, e);
}

// "help" and "version" mean what the options do; options may stand behind them, too.
static enum status take_words(struct ctl *c, struct typed *t, int *argc, char ***argv, struct error *e)
{
    if (optind >= *argc)
        return STATUS_OK;
    bool help = strcmp((*argv)[optind], "help") == 0;
    bool version = strcmp((*argv)[optind], "version") == 0;
    if (!help && !version)
        return STATUS_OK;
    t->help = t->help || help;
    t->version = t->version || version;
    *argc -= optind;
    *argv += optind;
    return take_options(c, t, *argc, *argv, e);
}

// "chat --json send": options may stand behind the first word of a command, too.
static enum status take_options_of_group(struct ctl *c, struct typed *t, int *argc, char ***argv, struct error *e)
{
    if (optind + 1 >= *argc || !help_is_group((*argv)[optind]) || (*argv)[optind + 1][0] != '-')
        return STATUS_OK;
    char *first = (*argv)[optind];
    *argc -= optind;
    *argv += optind;
    enum status s = take_options(c, t, *argc, *argv, e);
    (*argv)[--optind] = first;
    return s;
}

static enum status show_group(struct ctl *c, const char *word, bool asked, struct error *e)
{
    char names[200];
    if (c->json && !asked) {
        help_subcommands(word, names, sizeof names);
        return ctl_usage(e, "'%.40s' wants one of %s", word, names);
    }
    help_group(c, word);
    c->exit = asked ? IPC_EXIT_DONE : IPC_EXIT_USAGE;
    return STATUS_OK;
}

// The version, what there is, or what a group has; false: a command comes.
static bool shows_itself(struct ctl *c, struct typed *t, int argc, char **argv, struct error *e)
{
    if (optind >= argc && t->version) {
        version_show(c);
    } else if (optind >= argc && t->help) {
        help_overview(c);
    } else if (optind + 1 == argc && help_is_group(argv[optind])) {
        (void)show_group(c, argv[optind], t->help, e);
    } else {
        return false;
    }
    return true;
}

static enum status run(struct ctl *c, int argc, char **argv, struct error *e)
{
    struct typed t = {0};
    int rest = 0;
    c->arguments = mem_array((size_t)argc + 1, sizeof(char *));
    if (take_options(c, &t, argc, argv, e) != STATUS_OK || take_words(c, &t, &argc, &argv, e) != STATUS_OK ||
        take_options_of_group(c, &t, &argc, &argv, e) != STATUS_OK)
        return e->status;
    if (shows_itself(c, &t, argc, argv, e))
        return e->status;
    if (find_command(c, argc, argv, &rest, e) != STATUS_OK)
        return e->status;
    if (take_options(c, &t, argc - rest, argv + rest, e) != STATUS_OK)
        return e->status;
    if (t.help) {
        help_command(c, c->command);
        return STATUS_OK;
    }
    if (check(c, &t, e) != STATUS_OK)
        return e->status;
    if (enter_walls(c, e) != STATUS_OK)
        return e->status;
    return c->command->run(c, e);
}

// What could not be printed was not done for whoever reads it.
static enum status check_output(struct error *e)
{
    if (output_failed())
        return error_set(e, STATUS_IO, "IO", "the output could not be written");
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    struct ctl c = {.commands = CTL_COMMANDS, .command_count = CTL_COMMAND_COUNT};
    struct error e = {0};
    inherited_settle();
    (void)dumps_forbid(); // it may hold a secret, typed or read
    crypto_init();
    if (argc == 1) {
        help_overview(&c);
        return IPC_EXIT_USAGE;
    }
    enum status s = run(&c, argc, argv, &e);
    if (s == STATUS_OK)
        s = check_output(&e);
    int status = s != STATUS_OK ? (int)ipc_error_report(&e, "tandem", c.json) : c.exit;
    ipc_client_destroy(c.client);
    free(c.given);
    free(c.arguments);
    free(c.state_dir);
    return status;
}
