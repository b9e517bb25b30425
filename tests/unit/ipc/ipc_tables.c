// Prints the tables of ipc/ as one JSON document. ipc/clients/generate.py makes of it what the client packages know of
// methods, errors and events.
#include <stdio.h>

#include "ipc/errors.h"
#include "ipc/events.h"
#include "ipc/methods.h"

static const char *kind_word(enum ipc_kind kind)
{
    switch (kind) {
    case IPC_TEXT:
        return "text";
    case IPC_INT:
        return "integer";
    case IPC_BOOL:
        return "boolean";
    case IPC_HASH:
        return "hash";
    case IPC_PREFIX:
        return "prefix";
    case IPC_PERSON:
        return "person";
    case IPC_PERSONS:
        return "persons";
    case IPC_CHOICE:
        return "choice";
    case IPC_OBJECT:
        return "object";
    case IPC_ARRAY:
        return "array";
    }
    return "unknown";
}

static json_t *param_to_json(const struct ipc_param *p)
{
    json_t *row = json_pack("{s:s, s:s, s:b, s:s}", "name", p->name, "kind", kind_word(p->kind), "required",
                            p->need == IPC_REQUIRED, "about", p->about);
    if (p->kind == IPC_CHOICE)
        json_object_set_new(row, "choices", json_string(p->choices));
    return row;
}

static json_t *method_to_json(const struct ipc_method *m)
{
    json_t *params = json_array();
    for (const struct ipc_param *p = m->params; p->name != NULL; p++)
        json_array_append_new(params, param_to_json(p));
    return json_pack("{s:s, s:s, s:s, s:b, s:i, s:s, s:s, s:o}", "name", m->name, "site",
                     m->site == IPC_NODE ? "node" : "supervisor", "node", ipc_node_name(m->node), "mutates",
                     m->effect == IPC_MUTATES, "timeoutMs", (int)m->timeout_ms, "about", m->about, "result", m->result,
                     "params", params);
}

static json_t *methods_to_json(void)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < ipc_method_count(); i++)
        if (ipc_method_at(i)->caller == IPC_CLIENT)
            json_array_append_new(rows, method_to_json(ipc_method_at(i)));
    return rows;
}

static json_t *errors_to_json(void)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < IPC_CODE_COUNT; i++)
        json_array_append_new(rows, json_pack("{s:s, s:i, s:i, s:s}", "code", IPC_CODES[i].code, "number",
                                              IPC_CODES[i].number, "exit", (int)IPC_CODES[i].exit, "hint",
                                              IPC_CODES[i].hint));
    return rows;
}

static json_t *events_to_json(void)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < IPC_EVENT_COUNT; i++)
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "name", IPC_EVENTS[i].name, "data", IPC_EVENTS[i].data,
                                              "about", IPC_EVENTS[i].about));
    return rows;
}

int main(void)
{
    json_t *tables = json_pack("{s:o, s:o, s:o}", "methods", methods_to_json(), "errors", errors_to_json(), "events",
                               events_to_json());
    int failed = tables == NULL || json_dumpf(tables, stdout, JSON_INDENT(1)) != 0;
    json_decref(tables);
    return failed;
}
