// completion: scripts for shells, made from the table of commands.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/ctl/commands.h"
#include "supervisor/ctl/output.h"

static const char globals[] = "--state-dir --json --timeout --node --help";

static bool is_first_of_word(const struct ctl *c, size_t i)
{
    size_t len = strcspn(c->commands[i].name, " ");
    return i == 0 || strncmp(c->commands[i - 1].name, c->commands[i].name, len) != 0 ||
           (c->commands[i - 1].name[len] != ' ' && c->commands[i - 1].name[len] != '\0');
}

static void print_first_words(const struct ctl *c, FILE *out)
{
    for (size_t i = 0; i < c->command_count; i++)
        if (is_first_of_word(c, i))
            fprintf(out, "%.*s ", (int)strcspn(c->commands[i].name, " "), c->commands[i].name);
}

static void print_second_words(const struct ctl *c, const char *first, size_t len, FILE *out)
{
    for (size_t i = 0; i < c->command_count; i++)
        if (strncmp(c->commands[i].name, first, len) == 0 && c->commands[i].name[len] == ' ')
            fprintf(out, "%s ", c->commands[i].name + len + 1);
}

static void print_options(const struct ctl_command *c, FILE *out)
{
    for (const struct ctl_option *o = c->options; o->name != NULL; o++)
        fprintf(out, "--%s ", o->name);
    fputs(globals, out);
}

static void print_cases(const struct ctl *c, FILE *out)
{
    for (size_t i = 0; i < c->command_count; i++) {
        const struct ctl_command *command = &c->commands[i];
        size_t len = strcspn(command->name, " ");
        if (command->name[len] == ' ' && is_first_of_word(c, i)) {
            fprintf(out, "        '%.*s ') words='", (int)len, command->name);
            print_second_words(c, command->name, len, out);
            fputs("' ;;\n", out);
        }
        fprintf(out, "        '%s%s'*) words='", command->name, command->name[len] == ' ' ? "" : " ");
        print_options(command, out);
        fputs("' ;;\n", out);
    }
}

// zsh runs the same function through bashcompinit.
static void print_bash(const struct ctl *c, FILE *out)
{
    fputs("_tandem() {\n    local current=${COMP_WORDS[COMP_CWORD]} words='' typed='' i\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in --state-dir | --timeout | --node) ((i++)) ;; -*) ;;\n"
          "        *) typed+=\"${COMP_WORDS[i]} \" ;; esac\n    done\n    case $typed in\n        '') words='",
          out);
    print_first_words(c, out);
    fprintf(out, "%s' ;;\n", globals);
    print_cases(c, out);
    fputs("    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\n"
          "complete -o default -F _tandem tandem\n",
          out);
}

static void print_fish(const struct ctl *c, FILE *out)
{
    fputs("complete -c tandem -f\n", out);
    for (size_t i = 0; i < c->command_count; i++) {
        const struct ctl_command *command = &c->commands[i];
        size_t len = strcspn(command->name, " ");
        if (is_first_of_word(c, i))
            fprintf(out, "complete -c tandem -n __fish_use_subcommand -a '%.*s'\n", (int)len, command->name);
        if (command->name[len] == ' ')
            fprintf(out, "complete -c tandem -n '__fish_seen_subcommand_from %.*s' -a '%s' -d '%s'\n", (int)len,
                    command->name, command->name + len + 1, command->summary);
        for (const struct ctl_option *o = command->options; o->name != NULL; o++)
            fprintf(out, "complete -c tandem -n '__fish_seen_subcommand_from %.*s' -l %s%s\n", (int)len, command->name,
                    o->name, o->value != NULL ? " -r" : "");
    }
}

static void print_script(const struct ctl *c, const char *shell, FILE *out)
{
    if (strcmp(shell, "zsh") == 0)
        fputs("autoload -U +X bashcompinit && bashcompinit\n", out);
    if (strcmp(shell, "fish") == 0)
        print_fish(c, out);
    else
        print_bash(c, out);
}

enum status run_completion(struct ctl *c, struct error *e)
{
    const char *shell = c->arguments[0];
    char *script = NULL;
    size_t size = 0;
    if (strcmp(shell, "fish") != 0 && strcmp(shell, "zsh") != 0 && strcmp(shell, "bash") != 0)
        return ctl_usage(e, "completion knows bash, zsh and fish, not '%.40s'", shell);
    if (!c->json) {
        print_script(c, shell, stdout);
        return STATUS_OK;
    }
    FILE *out = open_memstream(&script, &size);
    if (out == NULL)
        return error_set(e, STATUS_IO, "IO", "no memory for the script");
    print_script(c, shell, out);
    fclose(out);
    output_json(json_pack("{s:s, s:s}", "shell", shell, "script", script));
    free(script);
    return STATUS_OK;
}
