// tandem-supervisor: runs the two node processes of one state directory. Usually started by 'tandem up'.
//
// What this process may do is its row in proto/wall/rights.c: the programs to start, one folder to write, no object to
// read.
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/dumps.h"
#include "base/inherited.h"
#include "base/options.h"
#include "crypto/secret.h"
#include "ipc/errors.h"
#include "supervisor/programs.h"
#include "supervisor/statedir.h"
#include "supervisor/supervisor.h"

enum { PRIVATE = 077 }; // umask: what is made is for its owner
enum { FILES_LEAST = 64, FILES_WANTED = 1024 };

static const char usage[] =
    "usage: tandem-supervisor [--state-dir DIR] [--json] [--listen HOST:PORT] [--public-url URL] [--host NAME]…\n"
    "                         [--relay URL]… [--config FILE] [--stdin-lifetime] [--archive-binary FILE] "
    "[--sparse-binary FILE]\n"
    "Runs both nodes in the foreground until SIGTERM. 'tandem up --help' explains the options.\n";

struct arguments {
    struct supervisor_options options;
    const char *state_dir;
    const char *listen;
    const char *public_url;
    struct buf relays;
    struct buf hosts;
    bool help;
};

static enum status parse(int argc, char **argv, struct arguments *a, struct error *e)
{
    const struct option_row rows[] = {
        {"state-dir", OPTION_TEXT, &a->state_dir},
        {"json", OPTION_FLAG, &a->options.json},
        {"listen", OPTION_TEXT, &a->listen},
        {"public-url", OPTION_TEXT, &a->public_url},
        {"host", OPTION_WORDS, &a->hosts},
        {"relay", OPTION_WORDS, &a->relays},
        {"config", OPTION_TEXT, &a->options.config_file},
        {"stdin-lifetime", OPTION_FLAG, &a->options.stdin_lifetime},
        {"archive-binary", OPTION_TEXT, &a->options.archive_binary},
        {"sparse-binary", OPTION_TEXT, &a->options.sparse_binary},
        {"help", OPTION_FLAG, &a->help},
        {0},
    };
    return options_read(argc, argv, rows, e);
}

static enum status load_config(struct arguments *a, struct error *e)
{
    struct listen_address where;
    struct config *c = a->options.config;
    enum status s = config_load(c, a->options.config_file, a->options.config_required, e);
    if (s == STATUS_OK && a->listen != NULL)
        s = config_set(c, "listen.address", a->listen, e);
    if (s == STATUS_OK && a->public_url != NULL)
        s = config_set(c, "listen.public_url", a->public_url, e);
    if (s == STATUS_OK && a->hosts.len > 0)
        s = config_set(c, "listen.hosts", buf_cstr(&a->hosts), e);
    if (s == STATUS_OK && a->relays.len > 0)
        s = config_set(c, "relay.urls", buf_cstr(&a->relays), e);
    if (s == STATUS_OK)
        s = config_listen(c, &where, e);
    return s;
}

static enum status run(struct arguments *a, struct error *e)
{
    char *state_dir = NULL;
    struct buf file = {0};
    if (statedir_choose(a->state_dir, &state_dir, e) != STATUS_OK)
        return e->status;
    buf_printf(&file, "%s/tandem.conf", state_dir);
    a->options.state_dir = state_dir;
    a->options.config_required = a->options.config_file != NULL;
    if (!a->options.config_required)
        a->options.config_file = buf_cstr(&file);
    enum status s = load_config(a, e);
    if (s == STATUS_OK)
        s = supervisor_run(&a->options, e);
    buf_free(&file);
    free(state_dir);
    return s;
}

// Its nodes set their own.
static enum status check_file_limit(struct error *e)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return error_errno(e, "cannot read the limit of open files");
    if (r.rlim_max < FILES_LEAST)
        return error_set(e, STATUS_FULL, "FILE-LIMIT", "%d open files are needed, the system allows %llu", FILES_LEAST,
                         (unsigned long long)r.rlim_max);
    if (r.rlim_cur < FILES_WANTED)
        r.rlim_cur = r.rlim_max < FILES_WANTED ? r.rlim_max : FILES_WANTED;
    return setrlimit(RLIMIT_NOFILE, &r) == 0 ? STATUS_OK : error_errno(e, "cannot set the limit of open files");
}

int main(int argc, char **argv)
{
    struct arguments a = {0};
    struct error e = {0};
    char *archive = program_beside("tandem-archive");
    char *sparse = program_beside("tandem-sparse");
    char *discovery = program_beside("tandem-discovery");
    int exit_status = 0;
    inherited_settle();
    umask(PRIVATE);
    crypto_init();
    (void)dumps_forbid();
    a.options.archive_binary = archive;
    a.options.sparse_binary = sparse;
    a.options.discovery_binary = discovery;
    a.options.config = config_create();
    enum status s = parse(argc, argv, &a, &e);
    if (s == STATUS_OK && a.help)
        fputs(usage, stdout);
    else if (s == STATUS_OK && (s = check_file_limit(&e)) == STATUS_OK)
        s = run(&a, &e);
    if (s != STATUS_OK)
        exit_status = (int)ipc_error_report(&e, "tandem-supervisor", a.options.json);
    config_destroy(a.options.config);
    buf_free(&a.relays);
    buf_free(&a.hosts);
    free(archive);
    free(sparse);
    free(discovery);
    return exit_status;
}
