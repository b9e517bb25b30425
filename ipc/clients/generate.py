"""What the client packages know of methods, errors and events, made from the tables of ipc/.

generate.py TABLES [--write]     TABLES prints them: build/tests/ipc_tables. Without --write it only compares."""
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
NOTE = "Made from the tables of ipc/ by ipc/clients/generate.py build/tests/ipc_tables --write"
PYTHON_MARKS = (f"# {NOTE}\n", "# End of what is made.\n")
TYPES = {"text": "string", "hash": "string", "prefix": "string", "person": "string", "integer": "number",
         "boolean": "boolean", "persons": "string[]", "object": "Record<string, any>", "array": "any[]"}


class Shape:
    """The TypeScript of a result that the table tells in words: {id, items:[{hash,type}], next}; what follows …"""

    def __init__(self, text, methods):
        self.text, self.methods, self.at = text.replace(" ", ""), methods, 0

    def take(self, pattern):
        found = re.compile(pattern).match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def member(self):
        name = self.take(r"[A-Za-z][A-Za-z0-9]*")
        if not name:
            if self.take("…"):
                return []
            raise ValueError(self.text[self.at:])
        return [f"{name.group()}: {self.value() if self.take(':') else 'any'}"]

    def members(self):
        found = self.member() if not self.take("}") else None
        if found is None:
            return "Answer"
        while self.take(","):
            found += self.member()
        if not self.take("}"):
            raise ValueError(self.text[self.at:])
        return "{ " + "; ".join([*found, "[more: string]: any"]) + " }"

    def value(self):
        if self.take("{"):
            return self.members()
        if self.take(r"\["):
            return self.elements()
        return "any" if self.take(r"[A-Za-z0-9…]+") else "any"

    def elements(self):
        same = self.take(r"as([a-z.]+)[^\]]*\]")
        if same:
            return f"Results['{same.group(1)}']['items']" if same.group(1) in self.methods else "any[]"
        inner = self.value()
        if not self.take(r"(,[^\]]*)?\]"):
            raise ValueError(self.text[self.at:])
        return f"{inner}[]" if inner != "any" else "any[]"

    def whole(self):
        same = re.match(r"as([a-z.]+)$", self.text)
        if same and same.group(1) in self.methods:
            return f"Results['{same.group(1)}']"
        try:
            return self.members() if self.take("{") else "any"
        except ValueError:
            return "any"


def comment(text, indent):
    return f"{indent}/** {text.replace('*/', '* /')} */\n"


def camel(word):
    return re.sub(r"-(.)", lambda m: m.group(1).upper(), word)


def param_line(param):
    kind = " | ".join(f"'{word}'" for word in param["choices"].split("|")) if "choices" in param else TYPES[param["kind"]]
    return comment(param["about"], " " * 8) + f"        {param['name']}{'' if param['required'] else '?'}: {kind};\n"


def params_of(method):
    lines = [param_line(param) for param in method["params"]]
    if method["site"] == "node":
        lines.append(comment(f"which node; without it the installation answers, by way of the {method['node']} one", " " * 8)
                     + "        node?: NodeName;\n")
    if method["mutates"]:
        lines.append(comment("made for you; a repeat with the same one acts no second time", " " * 8)
                     + "        opId?: string;\n")
    return f"    '{method['name']}': {{\n{''.join(lines)}    }};\n"


def signature(method, indent):
    name = camel(method["name"].rpartition(".")[2])
    needed = "" if any(param["required"] for param in method["params"]) else "?"
    text = f"{method['about']} Result: {method['result']}"
    return comment(text, indent) + (f"{indent}{name}(params{needed}: Params['{method['name']}'], options?: CallOptions): "
                                    f"Promise<Results['{method['name']}']>;\n")


def calls_of(methods):
    groups, text = {}, ""
    for method in methods:
        groups.setdefault(method["name"].rpartition(".")[0], []).append(method)
    for method in groups.pop("", []):
        assert method["name"] not in groups, f"{method['name']} is a method and a group"
        text += signature(method, " " * 4)
    for group, members in groups.items():
        text += f"    {group}: {{\n" + "".join(signature(method, " " * 8) for method in members) + "    };\n"
    return text


def event_type(event):
    names = [name for name in re.split(r", | or ", event["data"]) if name]
    return comment(event["about"], "    ") + (
        f"    '{event['name']}': {{ " + "".join(f"{name}?: any; " for name in names) + "[more: string]: any };\n")


def declarations(tables):
    methods, names = tables["methods"], [method["name"] for method in tables["methods"]]
    results = "".join(f"    '{m['name']}': {Shape(m['result'], names).whole()};\n" for m in methods)
    return "\n".join([
        f"// {NOTE}\n",
        "export type NodeName = 'archive' | 'sparse';",
        "export type Answer = { [more: string]: any };",
        "/** How long to go on trying, and a signal that gives the call up. */",
        "export interface CallOptions { timeoutMs?: number; signal?: AbortSignal; }\n",
        "export interface Params {\n" + "".join(map(params_of, methods)) + "}\n",
        "export interface Results {\n" + results + "}\n",
        "export interface Calls {\n" + calls_of(methods) + "}\n",
        "/** The data of each event. */",
        "export interface EventData {\n" + "".join(map(event_type, tables["events"])) + "}\n",
        "export type MethodName = keyof Params;",
        "export type EventName = keyof EventData;",
        "export type ErrorCode =\n" + "\n".join(f"    | '{row['code']}'" for row in tables["errors"]) + ";\n",
        "export const METHODS: Readonly<Record<MethodName, Readonly<{ site: 'supervisor' | 'node'; mutates: boolean; "
        "timeoutMs: number }>>>;",
        "export const ERRORS: Readonly<Record<ErrorCode, Readonly<{ number: number; exit: number; hint: string }>>>;",
        "export const EVENTS: readonly EventName[];\n"])


def module(tables):
    methods = "".join(f"    '{m['name']}': {{site: '{m['site']}', mutates: {json.dumps(m['mutates'])}, "
                      f"timeoutMs: {m['timeoutMs']}}},\n" for m in tables["methods"])
    errors = "".join(f"    '{row['code']}': {{number: {row['number']}, exit: {row['exit']}, "
                     f"hint: {json.dumps(row['hint'], ensure_ascii=False)}}},\n" for row in tables["errors"])
    events = "".join(f"    '{row['name']}',\n" for row in tables["events"])
    return (f"// {NOTE}\n\nexport const METHODS = {{\n{methods}}};\n\nexport const ERRORS = {{\n{errors}}};\n\n"
            f"export const EVENTS = [\n{events}];\n")


def python_block(tables):
    methods = "".join(f"    \"{m['name']}\": (\"{m['site']}\", {m['mutates']}, {m['timeoutMs']}),\n"
                      for m in tables["methods"])
    errors = "".join(f"    \"{row['code']}\": ({row['number']}, {json.dumps(row['hint'], ensure_ascii=False)}),\n"
                     for row in tables["errors"])
    events = "".join(f"    \"{row['name']}\",\n" for row in tables["events"])
    return (f"METHODS = {{  # name: (who runs it, whether it changes something, how long a node may take)\n{methods}}}\n\n"
            f"ERRORS = {{  # code: (number, hint)\n{errors}}}\n\nEVENTS = (\n{events})\n")


def python_file(tables):
    path = HERE / "python/tandem.py"
    text = path.read_text(encoding="utf-8")
    head, first, rest = text.partition(PYTHON_MARKS[0])
    _, last, tail = rest.partition(PYTHON_MARKS[1])
    assert first and last, f"{path} has lost its marks"
    return head + first + python_block(tables) + last + tail


def main():
    tables = json.loads(subprocess.run([sys.argv[1]], capture_output=True, check=True).stdout)
    made = {"node/tables.mjs": module(tables), "node/tables.d.ts": declarations(tables),
            "python/tandem.py": python_file(tables)}
    old = []
    for name, text in made.items():
        path = HERE / name
        if "--write" in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            old.append(f"{path} differs from the tables: {sys.argv[0]} {sys.argv[1]} --write")
    sys.exit("\n".join(old) or None)


main()
