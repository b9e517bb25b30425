#!/usr/bin/env python3
"""What a store, a backup or a peer knows by a number keeps that number.

values.py TOP

Such an enum says so in a comment of its own: "On disk: …" or "On the wire: …". Each of its constants then has a value
written out, and stands below with it. A value that changes makes every store there is mean something else."""
import os
import re
import sys

FOLDERS = ("archive-node", "ipc", "proto", "sparse-node", "supervisor")
MARKED = re.compile(r"^// (?:.*\. )?On (?:disk|the wire): [^\n]*\n(?://[^\n]*\n)*enum[^{]*\{([^}]*)\}", re.M)

VALUES = {
    # object: tree, state
    "TREE_INCOMPLETE": 0, "TREE_DELIVERABLE": 1, "TREE_REFUSED": 2, "TREE_LACKING": 3,
    "STATE_PRESENT": 0, "STATE_REMOTE": 1, "STATE_WANTED": 2, "STATE_DELETED": 3,
    # type: kind
    "STORE_OBJECT": 0, "STORE_ID_OBJECT": 1, "STORE_CLOB": 2, "STORE_BLOB": 3,
    # link: kind
    "LINK_OBJECT": 0, "LINK_ID": 1, "LINK_CLOB": 2, "LINK_BLOB": 3,
    # scope: kind, lacking
    "SCOPE_OBJECT": 0, "SCOPE_ID": 1,
    "FRAGMENT_WHOLE": 0, "FRAGMENT_LACKING": 1, "FRAGMENT_OWN": 2, "FRAGMENT_MERGE": 3,
    # member: is_group
    "MEMBER_PERSON": 0, "MEMBER_GROUP": 1, "MEMBER_OFFERED": 2,
    # outbox: state
    "INTENT_WAITING": 0, "INTENT_CARRIED": 1, "INTENT_FAILED": 2,
    # delivery: state
    "DELIVERY_SENT": 0, "DELIVERY_DELIVERED": 1, "DELIVERY_FAILED": 2,
    # trace: times
    "SENT": 0, "POSTED": 1, "GRANTED": 2, "SYNCING": 3, "SHOWN": 4, "DELIVERED": 5, "STEPS": 6,
    # a backup's objects: bits of nodes
    "IPC_ARCHIVE": 0, "IPC_SPARSE": 1,
    # CHUM: services
    "CHUM_GET_PROTOCOL_VERSION": 1, "CHUM_GET_ACCESSIBLE_ROOTS": 2, "CHUM_NEW_ACCESSIBLE_ROOT_EVENT": 3,
    "CHUM_GET_OBJECT_CHILDREN": 4, "CHUM_GET_ID_OBJECT_CHILDREN": 5, "CHUM_GET_OBJECT": 6, "CHUM_GET_ID_OBJECT": 7,
    "CHUM_GET_BLOB": 8, "CHUM_FIN": 10, "CHUM_FEED": 100, "CHUM_HOLDS": 101, "CHUM_SUMS": 102, "CHUM_RANGES": 103,
    # the control socket: who speaks
    "SP_PAIR1": 0x11, "SP_PUB": 0x20, "SP_SUB": 0x21, "SP_REQ": 0x30, "SP_REP": 0x31,
}


def marked_constants(top):
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(top, folder)):
            for name in (name for name in names if name.endswith((".c", ".h"))):
                place = os.path.join(path, name)
                with open(place, encoding="utf-8") as file:
                    text = file.read()
                for body in MARKED.findall(text):
                    for item in re.sub(r"//[^\n]*", "", body).split(","):
                        if item.strip():
                            yield os.path.relpath(place, top), item.strip()


def fault_of(item):
    """What is wrong with a constant as it is declared; None: nothing."""
    name, _, value = (part.strip() for part in item.partition("="))
    if not re.fullmatch(r"0x[0-9a-f]+|\d+", value):
        return f"{name} has no number written out"
    if VALUES.get(name) != int(value, 0):
        return f"{name} is {int(value, 0)}, and {VALUES.get(name, 'nothing')} in {os.path.basename(__file__)}"
    return None


def main():
    found = list(marked_constants(sys.argv[1]))
    faults = [f"{place}: {fault}" for place, item in found if (fault := fault_of(item))]
    missing = set(VALUES) - {item.split("=")[0].strip() for _, item in found}
    faults += [f"{name} is in no enum that says where it lies" for name in sorted(missing)]
    print(f"{len(found)} values")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


main()
