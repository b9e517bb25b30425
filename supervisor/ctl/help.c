// Every help text comes from the table of commands, so that there is no second place to forget. Only two lists live
// here: which command begins a section, and which have no use for --node.
#include "supervisor/ctl/help.h"

#include <stdio.h>
#include <string.h>

#include "base/near.h"
#include "supervisor/ctl/output.h"
#include "supervisor/ctl/results.h"

enum { NAME_WIDTH = 18, COLUMNS = 110 };
enum { BEGINNING = 3, LETTERS_PER_SLIP = 3, SLIPS_MAX = 3 };

static bool is_section_start(size_t i)
{
    static const char *const first[] = {"up", "invite", "chat send", "profile get", "events", "import"};
    for (size_t k = 0; k < sizeof first / sizeof *first; k++)
        if (strcmp(CTL_COMMANDS[i].name, first[k]) == 0)
            return true;
    return false;
}

static const char *const section_titles[] = {
    "Running",           "Pairing and peers",       "Chat, objects, files, sharing",
    "People and places", "Watching and diagnosing", "Moving in and out"};

static json_t *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *describe_result(const struct ctl_command *c)
{
    struct buf words = {0};
    json_t *text = result_describe(c->name, &words) ? json_stringn(buf_cstr(&words), words.len) : json_null();
    buf_free(&words);
    return text;
}

static json_t *describe(const struct ctl_command *c)
{
    json_t *options = json_array();
    for (const struct ctl_option *o = c->options; o->name != NULL; o++) {
        const char letter[] = {o->letter, '\0'};
        json_array_append_new(options,
                              json_pack("{s:s, s:o, s:o, s:s}", "name", o->name, "letter", text_or_null(letter),
                                        "value", text_or_null(o->value), "about", o->about));
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "command", c->name, "arguments", c->arguments,
                     "summary", c->summary, "details", text_or_null(c->details), "example", c->example, "timeoutS",
                     c->timeout_s != CTL_FOREVER ? json_integer(c->timeout_s) : json_null(), "options", options,
                     "result", describe_result(c));
}

static bool is_of_group(const struct ctl_command *c, const char *first)
{
    size_t len = strlen(first);
    return strncmp(c->name, first, len) == 0 && c->name[len] == ' ';
}

static void print_described(const char *group) // NULL: all commands
{
    json_t *list = json_array();
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++)
        if (group == NULL || is_of_group(&CTL_COMMANDS[i], group))
            json_array_append_new(list, describe(&CTL_COMMANDS[i]));
    output_json(json_pack("{s:o}", "commands", list));
}

void help_overview(const struct ctl *c)
{
    size_t section = 0;
    if (c->json) {
        print_described(NULL);
        return;
    }
    puts("usage: tandem [--state-dir DIR] [--json] [--timeout SECONDS] [--node archive|sparse] COMMAND [ARGUMENTS]\n\n"
         "First steps: 'tandem up' in one terminal, 'tandem provision --user NAME' in another; or all at once: 'tandem "
         "demo'.");
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++) {
        if (is_section_start(i)) {
            putchar('\n');
            output_heading(section_titles[section++], true);
        }
        printf("  %-*s  %s\n", NAME_WIDTH, CTL_COMMANDS[i].name, CTL_COMMANDS[i].summary);
    }
    puts("\n'tandem help COMMAND' explains a command with its options and an example.\n"
         "PERSON is a name, an e-mail, or 8 or more digits of an id; ids may be cut to as many digits as tell them "
         "apart.\n"
         "Exit status: 0 done, 1 failed, 2 wrong usage, 3 not running, 4 refused, 5 timed out, 6 not here.");
}

static void print_option(const struct ctl_option *o)
{
    char left[64];
    snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : "", o->letter ? o->letter : ' ',
             o->letter ? ", " : "   ", o->name, o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
    printf("  %-30s  %s\n", left, o->about);
}

// The others are of the supervisor, or need none.
bool help_takes_node(const struct ctl_command *c)
{
    static const char *const without[] = {
        "up",      "provision",     "secret change",  "deprovision", "status",   "wait",
        "restart", "listener stop", "listener start", "down",        "demo",     "relay",
        "doctor",  "config show",   "config set",     "completion",  "simulate", "ui",
        "backup",  "backup verify", "backup list",    "restore"};
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        if (strcmp(c->name, without[i]) == 0)
            return false;
    return !is_of_group(c, "discovery");
}

bool help_wants_path(const struct ctl_command *c, int argument)
{
    const char *word = c->arguments;
    for (int i = 0; i < argument && *word != '\0'; i++) {
        word += strcspn(word, " ");
        word += strspn(word, " ");
    }
    return strncmp(word, "DIR", 3) == 0 || strncmp(word, "FILE", 4) == 0;
}

// Broken between words, and behind commas.
static void print_folded(const char *text)
{
    size_t column = 0;
    fputs(" ", stdout);
    for (size_t n; *text != '\0'; text += n) {
        size_t blanks = strspn(text, " ");
        n = blanks + strcspn(text + blanks, " ,");
        n += text[n] == ',' ? 1 : 0;
        bool folds = column + n > COLUMNS;
        printf("%s%.*s",
               column == 0 ? " "
               : folds     ? "\n  "
                           : "",
               (int)(folds ? n - blanks : n), text + (folds ? blanks : 0));
        column = folds ? n - blanks : column + n;
    }
    putchar('\n');
}

static void print_result(const struct ctl_command *c)
{
    struct buf words = {0};
    if (result_describe(c->name, &words)) {
        puts("\nWith --json:");
        print_folded(buf_cstr(&words));
    }
    buf_free(&words);
}

static void print_usage(const struct ctl_command *c)
{
    char about[64];
    printf("usage: tandem %s%s%s%s\n\n%s.\n", c->name, c->options[0].name != NULL ? " [OPTIONS]" : "",
           c->arguments[0] != '\0' ? " " : "", c->arguments, c->summary);
    if (c->details != NULL)
        printf("\n%s\n", c->details);
    puts("\nOptions:");
    for (const struct ctl_option *o = c->options; o->name != NULL; o++)
        print_option(o);
    print_option(&(struct ctl_option){"json", '\0', NULL, "one JSON document on stdout, also for errors"});
    snprintf(about, sizeof about, "give up after this long, default %d", c->timeout_s);
    if (c->timeout_s != CTL_FOREVER)
        print_option(&(struct ctl_option){"timeout", '\0', "SECONDS", about});
    print_option(&(struct ctl_option){"state-dir", '\0', "DIR", "the installation to use"});
    if (help_takes_node(c))
        print_option(&(struct ctl_option){"node", '\0', "archive|sparse", "ask this node alone"});
    print_result(c);
    printf("\nExample:\n  tandem %s\n", c->example);
}

void help_command(const struct ctl *c, const struct ctl_command *command)
{
    if (c->json)
        output_json(describe(command));
    else
        print_usage(command);
}

bool help_is_group(const char *first)
{
    bool any = false;
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++) {
        if (strcmp(CTL_COMMANDS[i].name, first) == 0)
            return false;
        any = any || is_of_group(&CTL_COMMANDS[i], first);
    }
    return any;
}

void help_group(const struct ctl *c, const char *first)
{
    if (c->json) {
        print_described(first);
        return;
    }
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++) {
        const struct ctl_command *one = &CTL_COMMANDS[i];
        if (is_of_group(one, first))
            printf("  tandem %s%s%s\n      %s\n", one->name, one->arguments[0] != '\0' ? " " : "", one->arguments,
                   one->summary);
    }
}

void help_subcommands(const char *first, char *out, size_t room)
{
    size_t len = strlen(first);
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++)
        if (is_of_group(&CTL_COMMANDS[i], first) && used < room)
            used += (size_t)snprintf(out + used, room - used, "%s%s", used != 0 ? ", " : "",
                                     CTL_COMMANDS[i].name + len + 1);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Little, when the one is the other's beginning.
static size_t unlikeness(const char *typed, const char *name)
{
    size_t shorter = least(strlen(typed), strlen(name));
    size_t d = near_slips(typed, name);
    return shorter >= BEGINNING && strncmp(typed, name, shorter) == 0 ? least(d, 1) : d;
}

// From a command of two words; the name of a group that is misspelt means its list.
static size_t unlike_two(const char *first, const char *second, const char *name)
{
    char typed[80], group[40];
    const char *own = strchr(name, ' ') + 1;
    snprintf(typed, sizeof typed, "%s %s", first, second != NULL ? second : "");
    snprintf(group, sizeof group, "%.*s", (int)(own - 1 - name), name);
    size_t both = second != NULL ? near_slips(typed, name) : NEAR_LETTERS;
    bool is_list = strcmp(own, "list") == 0 && strcmp(first, group) != 0;
    size_t alone = is_list ? unlikeness(first, group) + (second != NULL) : NEAR_LETTERS;
    return least(both, alone);
}

// What other programs call it.
static const char *by_another_word(const char *first)
{
    static const char *const words[][2] = {
        {"start", "up"},           {"run", "up"},           {"stop", "down"},         {"quit", "down"},
        {"init", "provision"},     {"setup", "provision"},  {"login", "provision"},   {"unlock", "provision"},
        {"peers", "contacts"},     {"friends", "contacts"}, {"message", "chat send"}, {"say", "chat send"},
        {"messages", "chat list"}, {"upload", "blob put"},  {"download", "blob get"}, {"wipe", "deprovision"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], first) == 0)
            return words[i][1];
    return NULL;
}

const char *help_nearest(const char *first, const char *second)
{
    bool group = help_is_group(first);
    const char *best = group ? NULL : by_another_word(first);
    size_t letters = strlen(group && second != NULL ? second : first);
    size_t most = best != NULL ? 0 : least(letters / LETTERS_PER_SLIP, SLIPS_MAX) + 1;
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++) {
        const char *name = CTL_COMMANDS[i].name;
        size_t d = strchr(name, ' ') != NULL ? unlike_two(first, second, name) : unlikeness(first, name);
        if (d < most) {
            most = d;
            best = name;
        }
    }
    return best;
}

void help_ending(const char *word, char *out, size_t room)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++) {
        const char *space = strchr(CTL_COMMANDS[i].name, ' ');
        if (space != NULL && strcmp(space + 1, word) == 0 && used < room)
            used += (size_t)snprintf(out + used, room - used, "%s'%s'", used != 0 ? ", " : "", CTL_COMMANDS[i].name);
    }
}
