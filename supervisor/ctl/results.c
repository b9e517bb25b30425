// What commands print with --json, in words. Most print what a method answers, whose words the table of methods has.
#include "supervisor/ctl/results.h"

#include <string.h>

#include "ipc/methods.h"

// Beside the methods that are called like the command, or like the command with ".list".
static const struct {
    const char *command;
    const char *words; // or "=METHOD"
} others[] = {
    {"up",
     "a stream: first {event:\"ready\", pid, control}, once both nodes answer; then events, as 'events' has them"},
    {"down", "{}, when everything is stopped"},
    {"restart", "{}, when the node answers"},
    {"demo", "{readyMs, archive, sparse, created, paired, federated, federatedMs, messageToArchiveMs, "
             "messageToSparseMs, fileMs, "
             "file:{sent,received,size}}; archive and sparse are as 'provision' has them; with --keep also stateDir"},
    {"simulate", "{passed, name, seed, milliseconds, checks:[{name,passed,why}], measured:{…}, timeline:[{atMs,text}], "
                 "kept}; with --list "
                 "[{name,about}], with --plan {messages:[…], trouble:[…]}"},
    {"ui", "a stream: first {event:\"ready\", url}, again for each further link"},
    {"relay", "a stream: first {event:\"ready\", url}"},
    {"discovery list", "[{name,host,addresses,port,url,own,seenAt,txt:{…}}]; own: it is this installation"},
    {"invite", "=pairing.invite"},
    {"invite list", "=pairing.invitations"},
    {"invite revoke", "{}"},
    {"pair", "=pairing.accept"},
    {"pair list", "=pairing.waiting"},
    {"pair cancel", "{}"},
    {"enable", "{}"},
    {"disable", "{}"},
    {"chat send", "=chat.send"},
    {"chat follow", "a stream: each message as 'chat list' has it"},
    {"chat search", "[{topic,name,…}]: the newest first; the rest as 'chat list' has it"},
    {"chat delete", "{}; of a conversation {deleted}: how many"},
    {"chat export", "{path, messages, files, missing}"},
    {"topic export", "{path, messages, files, missing}"},
    {"roots", "[{type,node,hash,idHash,dataIdHash,dataType,oneType}], of which each has what its type needs: what CHUM "
              "would offer"},
    {"topic add", "one of what 'topic list' has"},
    {"topic remove", "one of what 'topic list' has"},
    {"topic rename", "one of what 'topic list' has"},
    {"topic leave", "one of what 'topic list' has, and newOwner: the person who became owner by it, or null"},
    {"topic read", "what 'chat list' has"},
    {"storage quota", "=rule.quota"},
    {"sync rule", "add {id}; list [{id, kind, size|type|topic|days}]; remove {}"},
    {"blob put", "=blob.commit"},
    {"blob get", "=blob.stat"},
    {"events", "a stream: each {seq, node, event, time, data}; where some are lost {event:\"stream.gap\", lost}"},
    {"log", "a stream: each line of the log, {time, level, process, pid, event, …}"},
    {"metrics", "{archive:{items}, sparse:{items}}; items: [{name,type,help,samples:[{labels:{},value}]}]"},
    {"doctor", "{healthy, degraded, checks:[{check,ok,message,advice}], components}; components: as 'status' has them"},
    {"verify", "{objects, damaged:[{hash,type,node}], missing:[{hash,type,node}], sound, nodes:{archive,sparse}}"},
    {"repair", "{repaired, lost:[{hash,type,conversation,node}], rebuilt:[node]}"},
    {"config show",
     "{KEY:value, …}; with --origin {KEY:{value,origin,line}, …}; origin is default, file, environment or option"},
    {"config set", "{file, key}"},
    {"completion", "{shell, script}"},
    {"backup", "{generation, at, objects, bytes, newBytes, milliseconds, damaged:[…], missing:[…]}"},
    {"backup verify", "{generations, objects, bytes, unopened, damaged:[{generation,what}], missing:[…]}"},
    {"backup list", "[{generation,at,bytes,newBytes,state}]"},
    {"restore", "{generation, at, objects, bytes, milliseconds}"},
    {"import", "=provision"},
    {"export", "{objects, heads, files, email, instanceName}"},
};

static const char *words_of(const char *command)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i].command, command) == 0)
            return others[i].words;
    return NULL;
}

static const struct ipc_method *method_of(const char *command)
{
    struct buf name = {0};
    buf_add_text(&name, command);
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] == ' ')
            name.data[i] = '.';
    const struct ipc_method *method = ipc_method_find(buf_cstr(&name));
    if (method == NULL) {
        buf_add_text(&name, ".list");
        method = ipc_method_find(buf_cstr(&name));
    }
    buf_free(&name);
    return method;
}

// "as METHOD, …" says what that one says. Of what is listed in pages the command prints the items.
static void add_words(struct buf *out, const char *words)
{
    static const char items[] = "{items:";
    static const char pages[] = ", next}";
    size_t name = strncmp(words, "as ", 3) == 0 ? strcspn(words + 3, ", ;") : 0;
    char other[40] = "";
    if (name != 0 && name < sizeof other) {
        memcpy(other, words + 3, name);
        const struct ipc_method *method = ipc_method_find(other);
        add_words(out, method != NULL ? method->result : words);
        return;
    }
    const char *end = strncmp(words, items, sizeof items - 1) == 0 ? strstr(words, pages) : NULL;
    if (end != NULL) {
        words += sizeof items - 1;
        buf_add(out, words, (size_t)(end - words));
        words = end + sizeof pages - 1;
    }
    const char *next = strstr(words, "; next is ");
    buf_add(out, words, next != NULL ? (size_t)(next - words) : strlen(words));
    buf_add_text(out, next != NULL ? next + 1 + strcspn(next + 1, ";") : "");
}

bool result_describe(const char *command, struct buf *out)
{
    const char *words = words_of(command);
    const struct ipc_method *method = NULL;
    if (words == NULL)
        method = method_of(command);
    else if (words[0] == '=')
        method = ipc_method_find(words + 1);
    if (method != NULL)
        words = method->result;
    if (words == NULL || words[0] == '=')
        return false;
    add_words(out, words);
    return true;
}
