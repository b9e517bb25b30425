"""Each code that a peer can cause, caused on a whole node: what is wrong is named, the connection ends, the rest goes on."""
import json

from control import main, until
from hostile import Peer, Victim, befriend, id_of, text

OTHER = id_of("Person", text("email", "somebody@example.org"))

# What an initiator says wrongly on its way to a pairing (WIRE.md 3 - 5), and the code that names it.
SLIPS = (
    ("BAD-PUBLIC-KEY", {"in": "key"}),
    ("BAD-PADDING", {"in": "padding"}),
    ("BAD-CHALLENGE", {"in": "challenge"}),
    ("BAD-NONCE", {"in": "message", "of": 4, "hex": "00" * 8}),
    ("TYPE-ERROR", {"in": "message", "of": 1, "text": "null"}),
    ("BAD-MESSAGE", {"in": "message", "of": 1, "text": "{"}),
    ("BAD-MESSAGE", {"in": "message", "of": 1, "hex": "00"}),
    ("UNKNOWN-GROUP", {"in": "message", "of": 1, "text": '{"command":"connection_group","connectionGroupName":"leute"}'}),
    ("INSTANCE-OWNER-MISMATCH", {"in": "message", "of": 6, "text": json.dumps(
        {"command": "instance_id_object", "obj": {"$type$": "Instance", "name": "x", "owner": OTHER}})}),
    ("EP-KEYS-OWNER-MISMATCH", {"in": "message", "of": 3, "text": json.dumps(
        {"command": "keys_object", "obj": {"$type$": "Keys", "owner": OTHER, "publicKey": "1" * 64, "publicSignKey": "2" * 64}})}),
)


def ended_with(victim, code, since):
    until(lambda: code in [e["code"] for e in victim.events("connection.closed")[since:]],
          f"{code}, among {victim.events('connection.closed')[since:]}")


def test_slips_on_the_way_to_a_pairing(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        for code, slip in SLIPS:
            since = len(victim.events("connection.closed"))
            eve.do("slip", **slip)
            assert eve.pair(victim.invitation())["event"] != "paired", code
            ended_with(victim, code, since)
        assert victim.persons() == {victim.sparse}
        befriend(victim, eve)
    victim.is_well()


def test_fragments_out_of_order(t):
    victim = Victim(t)
    start, end = "fragmentation_start_string", "fragmentation_end"
    with Peer("eve@example.org") as eve:
        invitation = befriend(victim, eve)
        for texts in ((end,), (start, start), ("fragmentation_start_binary", "a text in between")):
            since = len(victim.events("connection.closed"))
            for message in texts:
                eve.do("slip", **{"in": "frame", "text": message})
                eve.do("text", message="is replaced")
            eve.wait("closed")
            ended_with(victim, "BAD-FRAGMENT", since)
            eve.chum(invitation)
    victim.is_well()


def test_impatience_before_the_node_is_ready(t):
    victim = Victim(t)
    with Peer("slow@example.org") as slow, Peer("eve@example.org") as eve:
        slow.do("tamper", how="mute", after=8)  # its pairing stays in flight, so that CHUM of others is put off
        slow.do("pair", invitation=victim.invitation())
        until(lambda: any(c["protocol"] == "pairing" and c["state"] == "pairing"
                          for c in victim.ask("connections.list")["items"]), "a pairing is in flight")
        eve.do("chum", invitation=victim.invitation())
        eve.wait("ready")
        eve.do("text", message="{}", times=11)
        ended_with(victim, "QUEUE-FULL", 0)
    victim.is_well()


def test_tokens_that_are_none(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        assert eve.pair(victim.invitation(), token="x" * 64)["event"] == "failed"
        ended_with(victim, "BAD-TOKEN", 0)
    victim.is_well()


if __name__ == "__main__":
    main(globals())
