"""Objects that are edited on several nodes while these do not hear of each other."""
import json
import os
import signal

from control import Installation, main, until
from nodes import Pair, dumps, write
from nodes_events import all_told, told

PAGE = {"$type$": "Recipe", "name": "Page", "rule": [
    {"itemprop": "id", "isId": True, "itemtype": {"type": "string"}},
    {"itemprop": "text", "optional": True, "itemtype": {"type": "string"}},
    {"itemprop": "title", "optional": True, "itemtype": {"type": "string"}},
    {"itemprop": "tags", "itemtype": {"type": "array", "item": {"type": "string"}}}]}


def put(pair, node, id, tags=(), **values):
    page = {"$type$": "Page", "id": id, "tags": list(tags), **values}
    return pair.ok("--node", node, "object", "put", stdin=dumps(page))


def current(pair, node, id_hash):
    status, found = pair.cli("--node", node, "object", "current", id_hash)
    return found if status == 0 else {"hash": None, "object": {}}


def says(pair, node, id_hash):
    page = dict(current(pair, node, id_hash)["object"])
    page.pop("$type$", None)
    page.pop("id", None)
    return page


def with_recipe(pair):
    pair.ok("--node", "archive", "recipe", "add", write(os.path.join(pair.t.top, "page.json"), dumps(PAGE).encode()))
    until(lambda: any(r["name"] == "Page" for r in pair.ok("--node", "sparse", "recipe", "list")), "the type is known")
    return pair


def one_after_the_other(first, edit_first, second, edit_second):
    """Each (a pair and its node) edits while the other one is frozen, so that none hears of the other's edit before."""
    pids = [pair.t.call("status")[node]["pid"] for pair, node in (first, second)]
    os.kill(pids[1], signal.SIGSTOP)
    try:
        edit_first()
        os.kill(pids[0], signal.SIGSTOP)
        os.kill(pids[1], signal.SIGCONT)
        edit_second()
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def edit_apart(pair, first, edits):
    second = "archive" if first == "sparse" else "sparse"
    one_after_the_other((pair, first), edits[first], (pair, second), edits[second])


def agree(pair, id_hash, wanted, why):
    until(lambda: says(pair, "sparse", id_hash) == says(pair, "archive", id_hash) == wanted, why)
    assert current(pair, "sparse", id_hash)["hash"] == current(pair, "archive", id_hash)["hash"]


def test_what_each_node_wrote_is_there_on_both(t):
    pair = with_recipe(Pair(t))
    for begun in ("sparse", "archive"):
        for first in ("sparse", "archive"):
            id = f"{begun} {first}"
            id_hash = put(pair, begun, id, ["a", "b", "a"], text="old", title="old")["idHash"]
            if begun == "archive":
                pair.ok("--node", "archive", "share", "grant", "--id", id_hash, "--with", pair.sparse)
            agree(pair, id_hash, {"text": "old", "title": "old", "tags": ["a", "b", "a"]}, "both have it")
            edit_apart(pair, first, {
                "sparse": lambda: put(pair, "sparse", id, ["a", "b", "a", "c"], text="new", title="old"),
                "archive": lambda: put(pair, "archive", id, ["a", "b"], text="old")})
            agree(pair, id_hash, {"text": "new", "tags": ["a", "b", "c"]}, f"{id}: nothing is lost")
    assert not all_told(t, "version.overwritten")


def test_of_two_values_one_counts_and_the_other_is_told(t):
    pair = with_recipe(Pair(t))
    id_hash = put(pair, "sparse", "p", text="old", title="old")["idHash"]
    agree(pair, id_hash, {"text": "old", "title": "old", "tags": []}, "both have it")
    edit_apart(pair, "sparse", {
        "sparse": lambda: put(pair, "sparse", "p", text="of the sparse node", title="old"),
        "archive": lambda: put(pair, "archive", "p", text="x" * 1000, title="new")})
    agree(pair, id_hash, {"text": "x" * 1000, "title": "new", "tags": []}, "the later one counts, on both")
    lost = told(t, "version.overwritten", idHash=id_hash, type="Page", property="text")
    assert lost["value"] == '"of the sparse node"' and not lost["cut"], lost
    assert pair.ok("--node", "sparse", "object", "get", lost["hash"])["object"]["text"] == "of the sparse node"
    edit_apart(pair, "archive", {
        "archive": lambda: put(pair, "archive", "p", text="x" * 1000 + "!", title="new"),
        "sparse": lambda: put(pair, "sparse", "p", text="short", title="new")})
    agree(pair, id_hash, {"text": "short", "title": "new", "tags": []}, "the later one counts again")
    lost = told(t, "version.overwritten", idHash=id_hash, cut=True)
    assert lost["value"].startswith('"xxx') and len(lost["value"]) < 300


def shared_with_ann(t, second):
    """Joe and Ann, and a page that both may edit."""
    joe, ann = with_recipe(Pair(t)), with_recipe(Pair(second, user="ann"))
    ann.ok("--node", "archive", "pair", json.dumps(joe.ok("invite")))
    id_hash = put(joe, "sparse", "p", text="old", title="old")["idHash"]
    until(lambda: says(joe, "archive", id_hash), "Joe's archive has it")
    until(lambda: joe.cli("--node", "archive", "share", "grant", "--id", id_hash, "--with", ann.archive)[0] == 0,
          "it is shared")
    until(lambda: says(ann, "archive", id_hash), "Ann has it")
    ann.ok("--node", "archive", "share", "grant", "--id", id_hash, "--with", joe.archive)
    put(ann, "archive", "p", text="Ann", title="old")
    agree(joe, id_hash, {"text": "Ann", "title": "old", "tags": []}, "what she writes reaches both of his nodes")
    return joe, ann, id_hash


def joe_then_ann(joe, ann, id_hash, **hers):
    """Joe gives the page a title; Ann, who does not know, edits it a moment later."""
    def joe_edits():
        put(joe, "archive", "p", text="Ann", title="Joe")
        until(lambda: says(joe, "sparse", id_hash).get("title") == "Joe", "his own nodes know")
    one_after_the_other((joe, "archive"), joe_edits, (ann, "archive"), lambda: put(ann, "archive", "p", **hers))


def test_what_a_contact_overwrites_is_told(t):
    second = Installation()
    try:
        joe, ann, id_hash = shared_with_ann(t, second)
        joe_then_ann(joe, ann, id_hash, text="Ann again", title="Ann")
        agree(joe, id_hash, {"text": "Ann again", "title": "Ann", "tags": []}, "hers is the later one")
        lost = told(t, "version.overwritten", idHash=id_hash)
        assert (lost["property"], lost["value"]) == ("title", '"Joe"'), lost
        assert len(all_told(t, "version.overwritten")) == 1
        assert says(ann, "archive", id_hash) == says(joe, "archive", id_hash)
        assert second.stop() == 0
    finally:
        second.clean()


def test_edits_of_different_values_end_the_same_at_both(t):
    """Contacts go by the reference's rules, where whoever hears of the other first decides what is left of both."""
    second = Installation()
    try:
        joe, ann, id_hash = shared_with_ann(t, second)
        joe_then_ann(joe, ann, id_hash, text="Ann again", title="old")
        def end():
            pages = [says(joe, "archive", id_hash), says(joe, "sparse", id_hash), says(ann, "archive", id_hash)]
            return pages[0] if all(page == pages[0] for page in pages) and pages[0]["text"] == "Ann again" else None
        page = until(end, "all have the same")
        assert page["title"] == "Joe" or told(t, "version.overwritten", idHash=id_hash)["value"] == '"Joe"', page
        assert second.stop() == 0
    finally:
        second.clean()


if __name__ == "__main__":
    main(globals())
