// completion: scripts for shells, made from the table of commands.
#include <stdio.h>
#include <string.h>

#include "supervisor/ctl/commands.h"

static const char globals[] = "--state-dir --json --timeout --node --help";

static bool is_first_of_word(size_t i)
{
    size_t len = strcspn(CTL_COMMANDS[i].name, " ");
    return i == 0 || strncmp(CTL_COMMANDS[i - 1].name, CTL_COMMANDS[i].name, len) != 0 ||
           (CTL_COMMANDS[i - 1].name[len] != ' ' && CTL_COMMANDS[i - 1].name[len] != '\0');
}

static void print_first_words(void)
{
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++)
        if (is_first_of_word(i))
            printf("%.*s ", (int)strcspn(CTL_COMMANDS[i].name, " "), CTL_COMMANDS[i].name);
}

static void print_second_words(const char *first, size_t len)
{
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++)
        if (strncmp(CTL_COMMANDS[i].name, first, len) == 0 && CTL_COMMANDS[i].name[len] == ' ')
            printf("%s ", CTL_COMMANDS[i].name + len + 1);
}

static void print_options(const struct ctl_command *c)
{
    for (const struct ctl_option *o = c->options; o->name != NULL; o++)
        printf("--%s ", o->name);
    fputs(globals, stdout);
}

static void print_cases(void)
{
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++) {
        const struct ctl_command *c = &CTL_COMMANDS[i];
        size_t len = strcspn(c->name, " ");
        if (c->name[len] == ' ' && is_first_of_word(i)) {
            printf("        '%.*s ') words='", (int)len, c->name);
            print_second_words(c->name, len);
            puts("' ;;");
        }
        printf("        '%s%s'*) words='", c->name, c->name[len] == ' ' ? "" : " ");
        print_options(c);
        puts("' ;;");
    }
}

// zsh runs the same function through bashcompinit.
static void print_bash(void)
{
    puts("_tandem() {\n    local current=${COMP_WORDS[COMP_CWORD]} words='' typed='' i\n"
         "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "        case ${COMP_WORDS[i]} in --state-dir | --timeout | --node) ((i++)) ;; -*) ;;\n"
         "        *) typed+=\"${COMP_WORDS[i]} \" ;; esac\n    done\n    case $typed in\n        '') words='");
    print_first_words();
    printf("%s' ;;\n", globals);
    print_cases();
    puts("    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\n"
         "complete -o default -F _tandem tandem");
}

static void print_fish(void)
{
    puts("complete -c tandem -f");
    for (size_t i = 0; i < CTL_COMMAND_COUNT; i++) {
        const struct ctl_command *c = &CTL_COMMANDS[i];
        size_t len = strcspn(c->name, " ");
        if (is_first_of_word(i))
            printf("complete -c tandem -n __fish_use_subcommand -a '%.*s'\n", (int)len, c->name);
        if (c->name[len] == ' ')
            printf("complete -c tandem -n '__fish_seen_subcommand_from %.*s' -a '%s' -d '%s'\n", (int)len, c->name,
                   c->name + len + 1, c->summary);
        for (const struct ctl_option *o = c->options; o->name != NULL; o++)
            printf("complete -c tandem -n '__fish_seen_subcommand_from %.*s' -l %s%s\n", (int)len, c->name, o->name,
                   o->value != NULL ? " -r" : "");
    }
}

enum status run_completion(struct ctl *c, struct error *e)
{
    const char *shell = c->arguments[0];
    if (strcmp(shell, "fish") == 0)
        print_fish();
    else if (strcmp(shell, "zsh") == 0)
        puts("autoload -U +X bashcompinit && bashcompinit");
    else if (strcmp(shell, "bash") != 0)
        return ctl_usage(e, "completion knows bash, zsh and fish, not '%.40s'", shell);
    if (strcmp(shell, "fish") != 0)
        print_bash();
    return STATUS_OK;
}
