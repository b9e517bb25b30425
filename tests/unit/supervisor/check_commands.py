"""docs/commands.md is what the table of commands says.  check_commands.py TANDEM DOCS [--write]"""
import json
import subprocess
import sys

HEAD = """# The commands

<!-- Made from the table of commands: tests/unit/supervisor/check_commands.py TANDEM docs/commands.md --write -->

What `tandem help` and `tandem help COMMAND` say, on one page, and what each command prints with `--json`: its result is that
of a method of [the control protocol](ipc.md), where there is one; of a list in pages all of it, as an array. Errors are
`{"error":{"code","message","hint"}}`. A stream is one document a line. Every command takes `--json`, `--timeout SECONDS` and
`--state-dir DIR`, and `--node archive|sparse` where there is a choice.
"""


def option(o):
    value = f" {o['value']}" if o["value"] else ""
    return f"- `{'-' + o['letter'] + ', ' if o['letter'] else ''}--{o['name']}{value}`: {o['about']}\n"


def command(c):
    usage = " ".join(filter(None, ("tandem", c["command"], c["arguments"])))
    details = " ".join(c["details"].split("\n")) if c["details"] else ""
    if "   " in details:  # a table
        details = f"```\n{c['details']}\n```"
    parts = [f"## `{usage}`\n", f"{c['summary']}. {details}".rstrip() + "\n" if "```" not in details
             else f"{c['summary']}.\n\n{details}\n"]
    if c["options"]:
        parts.append("".join(map(option, c["options"])))
    parts.append(f"`--json`: {c['result']}\n")
    parts.append(f"Example: `tandem {c['example']}`\n")
    return "\n".join(parts)


tandem, path = sys.argv[1:3]
told = subprocess.run([tandem, "--json", "help"], capture_output=True, text=True, check=True).stdout
page = "\n".join([HEAD, *map(command, json.loads(told)["commands"])])
if "--write" in sys.argv:
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)
else:
    with open(path, encoding="utf-8") as file:
        if file.read() != page:
            sys.exit(f"{path} differs from the table; its second line says how to make it anew")
