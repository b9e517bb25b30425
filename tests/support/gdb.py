"""Pretty-printers for gdb: hashes as hex, spans and buffers as text, values as what they hold.

gdb -x tests/support/gdb.py PROGRAM"""
import gdb

LONGEST = 200


def text(pointer, length):
    length = int(length)
    if length == 0 or int(pointer) == 0:
        return '""'
    shown = pointer.string("utf-8", "replace", min(length, LONGEST))
    return '"' + shown + '"' + (f"… {length} bytes" if length > LONGEST else "")


class Hash:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        field = self.value.type.fields()[0].name
        return "".join(f"{int(self.value[field][i]):02x}" for i in range(32))


class Span:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return text(self.value["ptr"], self.value["len"])


class Buf:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return text(self.value["data"], self.value["len"])


class Value:
    """struct value: one level; `print *members[0].value` goes on."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        kind = str(self.value["kind"])
        if kind == "VALUE_BOOL":
            return "true" if self.value["boolean"] else "false"
        if kind == "VALUE_NUMBER":
            return str(float(self.value["number"]))
        if kind == "VALUE_STRING":
            return Span(self.value["string"]).to_string()
        if kind in ("VALUE_LIST", "VALUE_SET"):
            return f"{kind} of {int(self.value['list']['count'])}"
        if kind == "VALUE_MAP":
            return f"{kind} of {int(self.value['map']['count'])}"
        if kind == "VALUE_OBJECT":
            members = self.value["object"]
            names = [Span(members["members"][i]["name"]).to_string() for i in range(int(members["count"]))]
            return f"{Span(members['type']).to_string()} {{{', '.join(names)}}}"
        return kind


PRINTERS = {"hash": Hash, "span": Span, "buf": Buf, "value": Value}


def look_up(value):
    kind = value.type.strip_typedefs()
    return PRINTERS[kind.tag](value) if kind.code == gdb.TYPE_CODE_STRUCT and kind.tag in PRINTERS else None


gdb.pretty_printers.append(look_up)
