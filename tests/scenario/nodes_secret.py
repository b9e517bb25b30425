"""Changing the secret of two real nodes: who they are, what they know and whom they talk to stays."""
import os

from control import SECRET, main
from nodes import Pair

NEW = "battery staple"


def identity(pair):
    """Everything that must outlive the change."""
    provisioned = {node: pair.provisioned[node]["instanceId"] for node in ("archive", "sparse")}
    for node in provisioned:
        keys = pair.ok("--node", node, "trust", "list")
        contacts = [contact["personId"] for contact in pair.ok("--node", node, "contacts")]
        provisioned[node] = provisioned[node], sorted(key["key"] for key in keys), sorted(contacts)
    return provisioned, pair.archive, pair.sparse


def live(pair):
    return sorted(connection["id"] for connection in pair.ok("connections") if connection["live"])


def change(pair, old, new):
    assert pair.ok("secret", "change", stdin=f"{old}\n{new}\n") == {}


def restart(pair, right, wrong):
    t = pair.t
    t.stop()
    t.up("--listen", "localhost:0")
    pair.fails("BAD-SECRET", 4, "provision", stdin=wrong + "\n")
    pair.provisioned = pair.ok("provision", stdin=right + "\n")


def test_everything_goes_on(t):
    pair = Pair(t)
    pair.send("sparse", "before")
    pair.arrives("archive", "before")
    known, connections, status = identity(pair), live(pair), t.call("status")
    change(pair, SECRET, NEW)
    assert live(pair) == connections and connections
    assert [t.call("status")[n]["pid"] for n in ("archive", "sparse")] == [status[n]["pid"] for n in ("archive", "sparse")]
    pair.send("archive", "after")
    pair.arrives("sparse", "after")
    restart(pair, NEW, SECRET)
    assert identity(pair) == known
    assert pair.texts("archive") == pair.texts("sparse") == ["before", "after"]


def test_unprovisioned_nodes_and_again(t):
    pair = Pair(t)
    known = identity(pair)
    pair.ok("deprovision")
    change(pair, SECRET, NEW)
    change(pair, NEW, SECRET)
    pair.fails("BAD-SECRET", 4, "secret", "change", stdin=f"{NEW}\n{SECRET}\n")
    restart(pair, SECRET, NEW)
    assert identity(pair) == known


def test_a_lost_store_is_named_and_nothing_changes(t):
    pair = Pair(t)
    pair.ok("deprovision")
    os.rename(t.path("sparse", "private"), t.path("sparse", "elsewhere"))
    pair.fails("STORE-MISSING", 1, "secret", "change", stdin=f"{SECRET}\n{NEW}\n")
    os.rename(t.path("sparse", "elsewhere"), t.path("sparse", "private"))
    restart(pair, SECRET, NEW)


if __name__ == "__main__":
    main(globals())
