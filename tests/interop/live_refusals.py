"""What the peer cannot take over (point 2): it ends the session at each version of it, for ever. Each case makes its own
stage."""
import copy

from live import DOC_RECIPE, until
from live_pairing import on_stage

RECIPE = {"$type$": "Recipe", "name": "OnlyHere", "rule": [
    {"itemprop": "id", "isId": True, "itemtype": {"type": "string"}},
    {"itemprop": "text", "itemtype": {"type": "string"}}]}


def with_more(recipe):
    more = copy.deepcopy(recipe)
    more["rule"].append({"itemprop": "more", "optional": True, "itemtype": {"type": "string"}})
    return more


def withheld_after(recipe, fits, **properties):
    """Shares an object that the peer does not understand: soon it is withheld, and everything else goes on."""
    def play(s):
        s.pair_up()
        s.talk()
        mark = s.mark()
        s.call("recipe.add", recipe=recipe)
        stored = s.call("object.put", object={"$type$": recipe["name"], "id": "odd", "text": "one", **properties})
        s.call("share.grant", id=stored["idHash"], **{"with": s.theirs})
        until(lambda: s.event_since(mark, "share.withheld", lambda d: d["personId"] == s.theirs and fits(d, stored)),
              "it is withheld")
        until(s.connected, "they come back")
        mark = s.mark()
        s.talk()
        assert not s.event_since(mark, "chum.stopped"), "the connection was lost again"
    return lambda role: on_stage(role, play)


CASES = [
    ("2", "a type the peer does not know: withheld, the rest goes on",
     withheld_after(RECIPE, lambda told, _: told["type"] == "OnlyHere")),
    ("2", "a type the peer knows otherwise: the object is withheld",
     withheld_after(with_more(DOC_RECIPE), lambda told, stored: told["hash"] == stored["hash"], more="unknown there")),
]
