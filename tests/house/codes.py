"""Error codes that are tested: codes.py SOURCE-DIR

docs/ipc.md says what each code means that programs give. Every code of the table in ipc/errors.c is one that some program gives and that some test asserts, and every code that a
peer can cause is asserted by a test on whole nodes (tests/scenario/nodes_*.py), but for the exceptions below."""
import pathlib
import re
import sys

TOP = pathlib.Path(sys.argv[1])
CODE = r"[A-Z][A-Z0-9]*(?:-[A-Za-z0-9]+)*"
PROGRAMS = ("archive-node", "ipc", "proto", "sparse-node", "supervisor")
DUMMIES = {"fake_node.c"}  # stand for a program in tests, and assert nothing

# Where what peers send is read and judged.
DOORS = ("proto/chum", "proto/conn", "proto/net", "proto/relay", "proto/wire", "proto/data/microdata_read.c",
         "proto/data/object.c", "proto/data/linkedlist.c", "proto/data/stringify_read.c")

USER = "what the user of this machine asks for or configures"
EXCEPTIONS = {
    "BAD-URL": "addresses of peers that are none are passed over; what is left is the user's",
    "BAD-LIST": "the built-in recipes let no such entry in: tests/unit/data",
    "CHALLENGE-REFLECTED": "it takes two connections that wait for each other: tests/unit/conn/test_who.c",
    "FILE-LIMIT": "this process has no descriptors left: tests/unit/net",
    "FEED-BROKEN": "only an own node may send one: tests/unit/chum",
    "FILE-TOO-BIG": "the limit is 16 GiB: tests/unit/chum",
    "FILE-TOO-SLOW": "it takes ten minutes: tests/unit/chum, with a clock of its own",
    "INTERNAL": "libwebsockets does not start",
    "JSON-TOO-BIG": "told as BAD-MESSAGE, or not at all: tests/unit/wire",
    "NOT-JSON": "the relay says it in words: tests/unit/relay",
    "SB-READ2": "an object that is shown went away meanwhile: tests/unit/chum",
    "TOO-MANY-ENDPOINTS": "of one contact no more come this far; it takes many contacts: tests/unit/conn",
    "TOO-MANY-INVITATIONS": USER,
}


LABELS = {"E-MAIL", "MESSAGE-ID"}  # of tables and arguments


def text_of(path):
    """Without its comments."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix in (".c", ".h"):
        return re.sub(r"//[^\n]*|/\*.*?\*/", "", re.sub(r'(?<=:)//', "", text), flags=re.S)
    return re.sub(r'(?m)(^|\s)#.*$|^\s*""".*?"""$', "", text)


def files(places, *suffixes):
    for place in map(TOP.joinpath, places):
        yield from [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.suffix in suffixes)


def literals(paths):
    """The words of capitals in the strings of these files."""
    found = set()
    for path in paths:
        for string in re.findall(r'"((?:[^"\\\n]|\\.)*)"', text_of(path)):
            found.update(re.findall(rf"(?<![\w-]){CODE}(?![\w-])", string))
    return found


def raised(places, table):
    """Codes that are given to errors: whole strings that are in the table or look like nothing else."""
    found = set()
    for path in files(places, ".c"):
        strings = re.findall(rf'"({CODE})"', text_of(path))
        found.update(s for s in strings if s in table or re.search(r"-[A-Z]*\d|-[A-Z]{2}", s))
    return found


table = set(re.findall(rf'^    {{"({CODE})", -?\d+,', (TOP / "ipc/errors.c").read_text(), re.M))
given = literals(p for p in files(PROGRAMS, ".c", ".h") if p.name != "errors.c")
asserted = literals(p for p in files(["tests"], ".c", ".h", ".py") if p.name not in DUMMIES and "house" not in p.relative_to(TOP).parts)
on_nodes = literals((TOP / "tests/scenario").glob("nodes_*.py"))
of_peers = raised(DOORS, table)

documented = set(re.findall(rf"`({CODE})`", (TOP / "docs/ipc.md").read_text(encoding="utf-8")))
said = raised(PROGRAMS, table) | {c for p in files(PROGRAMS, ".c") for c in re.findall(rf'STATUS_[A-Z_]+,\s*"({CODE})"', text_of(p))}

wrong = [f"docs/ipc.md does not tell of {code}" for code in sorted(said - documented - LABELS)]
wrong += [f"{code} is no label any more" for code in sorted(LABELS - said)]
wrong += [f"nothing answers with {code}" for code in sorted(table - given)]
wrong += [f"no test asserts {code}" for code in sorted(table - asserted)]
wrong += [f"no test on whole nodes asserts {code}, which peers can cause" for code in sorted(of_peers - on_nodes - EXCEPTIONS.keys())]
wrong += [f"{code} is no exception any more" for code in sorted(EXCEPTIONS.keys() & on_nodes | EXCEPTIONS.keys() - of_peers)]
wrong += [f"no test at all asserts {code}" for code in sorted(EXCEPTIONS.keys() - asserted)]
print("\n".join(wrong))
sys.exit(len(wrong) != 0)
