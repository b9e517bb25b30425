// completion: scripts for shells, made from the table of commands. Where an option or an argument is one of some words
// ("direct|relay"), these are offered.
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

static bool is_choice(const char *value)
{
    return strchr(value, '|') != NULL && value[strspn(value, "abcdefghijklmnopqrstuvwxyz|")] == '\0';
}

static bool is_path(const char *value)
{
    return strcmp(value, "FILE") == 0 || strcmp(value, "DIR") == 0;
}

static void print_choice(const char *value, FILE *out)
{
    for (; *value != '\0'; value++)
        fputc(*value == '|' ? ' ' : *value, out);
}

static void print_second_words(const struct ctl *c, const char *first, size_t len, FILE *out)
{
    for (size_t i = 0; i < c->command_count; i++)
        if (strncmp(c->commands[i].name, first, len) == 0 && c->commands[i].name[len] == ' ')
            fprintf(out, "%s ", c->commands[i].name + len + 1);
}

// --- bash and zsh ----------------------------------------------------------------------------------------------------

static void print_first_words(const struct ctl *c, FILE *out)
{
    for (size_t i = 0; i < c->command_count; i++)
        if (is_first_of_word(c, i))
            fprintf(out, "%.*s ", (int)strcspn(c->commands[i].name, " "), c->commands[i].name);
}

static void print_words(const struct ctl *c, const struct ctl_command *command, FILE *out)
{
    size_t len = strcspn(command->name, " ");
    if (command->name[len] == '\0')
        print_second_words(c, command->name, len, out); // "invite" is a command, and "invite list" another one
    if (is_choice(command->arguments)) {
        print_choice(command->arguments, out);
        fputc(' ', out);
    }
    for (const struct ctl_option *o = command->options; o->name != NULL; o++)
        fprintf(out, "--%s ", o->name);
    fputs(globals, out);
}

// The longer names come first.
static void print_cases(const struct ctl *c, bool two_words, FILE *out)
{
    for (size_t i = 0; i < c->command_count; i++) {
        const struct ctl_command *command = &c->commands[i];
        size_t len = strcspn(command->name, " ");
        if ((command->name[len] == ' ') != two_words)
            continue;
        if (two_words && is_first_of_word(c, i)) {
            fprintf(out, "        '%.*s ') words='", (int)len, command->name);
            print_second_words(c, command->name, len, out);
            fputs("' ;;\n", out);
        }
        fprintf(out, "        '%s '*) words='", command->name);
        print_words(c, command, out);
        fputs("' ;;\n", out);
    }
}

// What may stand behind an option: its words, or nothing of ours, and the shell offers files.
static void print_values(const struct ctl *c, FILE *out)
{
    for (size_t i = 0; i < c->command_count; i++)
        for (const struct ctl_option *o = c->commands[i].options; o->name != NULL; o++)
            if (o->value != NULL) {
                fprintf(out, "        '%s '*--%s) words='", c->commands[i].name, o->name);
                if (is_choice(o->value))
                    print_choice(o->value, out);
                fputs("' ;;\n", out);
            }
}

static void print_function(const struct ctl *c, FILE *out)
{
    fputs("_tandem_words() {\n    local current=${COMP_WORDS[COMP_CWORD]} words='' typed='' i\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in --state-dir | --timeout | --node) ((i++)) ;; -*) ;;\n"
          "        *) typed+=\"${COMP_WORDS[i]} \" ;; esac\n    done\n"
          "    case $typed${COMP_WORDS[COMP_CWORD-1]} in\n"
          "        *--node) words='archive sparse' ;;\n        *--state-dir | *--timeout) words='' ;;\n",
          out);
    print_values(c, out);
    fputs("        *) case $typed in\n        '') words='\n", out);
    print_first_words(c, out);
    fprintf(out, "%s' ;;\n", globals);
    print_cases(c, true, out);
    print_cases(c, false, out);
    fputs("        esac ;;\n    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\n"
          "complete -o default -F _tandem_words tandem\n",
          out);
}

// zsh runs the same function through bashcompinit, also the first time, when this is what it loads to complete.
static void print_zsh(const struct ctl *c, FILE *out)
{
    fputs("#compdef tandem\nautoload -U +X bashcompinit && bashcompinit\n", out);
    print_function(c, out);
    fputs("if [ \"$funcstack[1]\" = _tandem ]; then _bash_complete -o default -F _tandem_words; fi\n", out);
}

// --- fish ------------------------------------------------------------------------------------------------------------

static void print_quoted(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (strchr("\"$\\", *text) != NULL)
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

// Where the words of this command were typed.
static void print_condition(const struct ctl_command *c, FILE *out)
{
    size_t len = strcspn(c->name, " ");
    fprintf(out, "complete -c tandem -n '__fish_seen_subcommand_from %.*s", (int)len, c->name);
    if (c->name[len] == ' ')
        fprintf(out, "; and __fish_seen_subcommand_from %s", c->name + len + 1);
    fputc('\'', out);
}

static void print_fish_option(const struct ctl_command *c, const struct ctl_option *o, FILE *out)
{
    print_condition(c, out);
    fprintf(out, " -l %s", o->name);
    if (o->value != NULL)
        fputs(is_path(o->value) ? " -r -F" : " -x", out);
    if (o->value != NULL && is_choice(o->value)) {
        fputs(" -a '", out);
        print_choice(o->value, out);
        fputc('\'', out);
    }
    fputs(" -d ", out);
    print_quoted(o->about, out);
    fputc('\n', out);
}

static void print_fish(const struct ctl *c, FILE *out)
{
    fputs("complete -c tandem -f\ncomplete -c tandem -l node -x -a 'archive sparse'\n"
          "complete -c tandem -l state-dir -r -F\ncomplete -c tandem -l json\ncomplete -c tandem -l timeout -x\n",
          out);
    for (size_t i = 0; i < c->command_count; i++) {
        const struct ctl_command *command = &c->commands[i];
        size_t len = strcspn(command->name, " ");
        if (is_first_of_word(c, i))
            fprintf(out, "complete -c tandem -n __fish_use_subcommand -a '%.*s'\n", (int)len, command->name);
        if (command->name[len] == ' ') {
            fprintf(out, "complete -c tandem -n '__fish_seen_subcommand_from %.*s' -a '%s' -d ", (int)len,
                    command->name, command->name + len + 1);
            print_quoted(command->summary, out);
            fputc('\n', out);
        }
        if (is_choice(command->arguments)) {
            print_condition(command, out);
            fputs(" -a '", out);
            print_choice(command->arguments, out);
            fputs("'\n", out);
        }
        for (const struct ctl_option *o = command->options; o->name != NULL; o++)
            print_fish_option(command, o, out);
    }
}

static void print_script(const struct ctl *c, const char *shell, FILE *out)
{
    if (strcmp(shell, "fish") == 0)
        print_fish(c, out);
    else if (strcmp(shell, "zsh") == 0)
        print_zsh(c, out);
    else
        print_function(c, out);
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
