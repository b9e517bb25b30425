// completion: scripts for shells, made from the table of commands.
#include <stdio.h>
#include <string.h>

#include "supervisor/ctl/commands.h"

static const char globals[] = "--state-dir --json --timeout --node --help";

static bool is_first_of_word(const struct ctl *c, size_t i)
{
    size_t len = strcspn(c->commands[i].name, " ");
    return i == 0 || strncmp(c->commands[i - 1].name, c->commands[i].name, len) != 0 ||
           (c->commands[i - 1].name[len] != ' ' && c->commands[i - 1].name[len] != '\0');
}

static void print_first_words(const struct ctl *c)
{
    for (size_t i = 0; i < c->command_count; i++)
        if (is_first_of_word(c, i))
            printf("%.*s ", (int)strcspn(c->commands[i].name, " "), c->commands[i].name);
}

static void print_second_words(const struct ctl *c, const char *first, size_t len)
{
    for (size_t i = 0; i < c->command_count; i++)
        if (strncmp(c->commands[i].name, first, len) == 0 && c->commands[i].name[len] == ' ')
            printf("%s ", c->commands[i].name + len + 1);
}

static void print_options(const struct ctl_command *c)
{
    for (const struct ctl_option *o = c->options; o->name != NULL; o++)
        printf("--%s ", o->name);
    fputs(globals, stdout);
}

static void print_cases(const struct ctl *c)
{
    for (size_t i = 0; i < c->command_count; i++) {
        const struct ctl_command *command = &c->commands[i];
        size_t len = strcspn(command->name, " ");
        if (command->name[len] == ' ' && is_first_of_word(c, i)) {
            printf("        '%.*s ') words='", (int)len, command->name);
            print_second_words(c, command->name, len);
            puts("' ;;");
        }
        printf("        '%s%s'*) words='", command->name, command->name[len] == ' ' ? "" : " ");
        print_options(command);
        puts("' ;;");
    }
}

// zsh runs the same function through bashcompinit.
static void print_bash(const struct ctl *c)
{
    puts("_tandem() {\n    local current=${COMP_WORDS[COMP_CWORD]} words='' typed='' i\n"
         "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "        case ${COMP_WORDS[i]} in --state-dir | --timeout | --node) ((i++)) ;; -*) ;;\n"
         "        *) typed+=\"${COMP_WORDS[i]} \" ;; esac\n    done\n    case $typed in\n        '') words='");
    print_first_words(c);
    printf("%s' ;;\n", globals);
    print_cases(c);
    puts("    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\n"
         "complete -o default -F _tandem tandem");
}

static void print_fish(const struct ctl *c)
{
    puts("complete -c tandem -f");
    for (size_t i = 0; i < c->command_count; i++) {
        const struct ctl_command *command = &c->commands[i];
        size_t len = strcspn(command->name, " ");
        if (is_first_of_word(c, i))
            printf("complete -c tandem -n __fish_use_subcommand -a '%.*s'\n", (int)len, command->name);
        if (command->name[len] == ' ')
            printf("complete -c tandem -n '__fish_seen_subcommand_from %.*s' -a '%s' -d '%s'\n", (int)len,
                   command->name, command->name + len + 1, command->summary);
        for (const struct ctl_option *o = command->options; o->name != NULL; o++)
            printf("complete -c tandem -n '__fish_seen_subcommand_from %.*s' -l %s%s\n", (int)len, command->name,
                   o->name, o->value != NULL ? " -r" : "");
    }
}

enum status run_completion(struct ctl *c, struct error *e)
{
    const char *shell = c->arguments[0];
    if (strcmp(shell, "fish") == 0)
        print_fish(c);
    else if (strcmp(shell, "zsh") == 0)
        puts("autoload -U +X bashcompinit && bashcompinit");
    else if (strcmp(shell, "bash") != 0)
        return ctl_usage(e, "completion knows bash, zsh and fish, not '%.40s'", shell);
    if (strcmp(shell, "fish") != 0)
        print_bash(c);
    return STATUS_OK;
}
