"""Each code that a peer can cause, caused on a whole node: what is wrong is named, the connection ends, the rest goes on."""
import json
import socket
import threading

from control import main, until
from hostile import Peer, Socket, Victim, befriend, id_of, text

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


def noted(victim, kind, code):
    """What concerns no connection any more is among the last errors."""
    until(lambda: code in [e["code"] for e in victim.ask("report", errors=kind)["recentErrors"]], code)


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


# ---- Who is not who it says, or goes away ----

def test_keys_and_names_that_do_not_fit(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        stray = Socket(victim.provisioned["archive"]["url"])
        stray.frame(1, b'{"command":"communication_request","sourcePublicKey":"ab","targetPublicKey":"cd"}')
        assert stray.ended()
        ended_with(victim, "CYENC-ENSPUB", 0)
        eve.do("pair", invitation={**victim.invitation(), "publicKey": "12" * 32})
        eve.wait("closed")
        ended_with(victim, "UNKNOWN-TARGET", 0)
        eve.do("claim", email="ann@example.org")
        eve.pair(victim.invitation())
        noted(victim, "pairing", "IDENTITY-MISMATCH")
        assert victim.persons() == {victim.sparse}
        eve.do("claim", email=eve.email)
        invitation = befriend(victim, eve)
        eve.close()
        eve.do("become", name="another instance")
        eve.do("chum", invitation=invitation)
        eve.wait("closed")
        ended_with(victim, "EP-INSTANCEIDMISMATCH", 0)
    victim.is_well()


def test_each_end_of_a_connection_has_its_code(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        invitation = befriend(victim, eve)
        since = len(victim.events("connection.closed"))
        eve.close()
        ended_with(victim, "PEER-CLOSED", since)
        eve.chum(invitation)
        since = len(victim.events("connection.closed"))
        eve.do("chum", invitation=invitation)  # the newer one stays (WIRE.md 8.4)
        eve.wait("closed")
        ended_with(victim, "CLOSED", since)
    ended_with(victim, "CONNECTION-LOST", since)
    victim.is_well()


# ---- Addresses that a peer gives ----

def answer_each(listener, answer):
    while True:
        try:
            with listener.accept()[0] as dialled:
                dialled.recv(4096)
                dialled.sendall(answer)
        except OSError:
            return


def test_addresses_where_no_node_is(t):
    victim = Victim(t)
    with socket.create_server(("127.0.0.1", 0)) as plain, socket.create_server(("127.0.0.1", 0)) as closed:
        threading.Thread(target=answer_each, args=(plain, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
                         daemon=True).start()
        here, nowhere = [f"127.0.0.1:{s.getsockname()[1]}" for s in (plain, closed)]
        closed.close()
        for i, (code, url) in enumerate((("TLS-FAILED", f"wss://{here}"), ("NOT-A-NODE", f"ws://{here}"),
                                         ("UNREACHABLE", f"ws://{nowhere}"))):
            with Peer(f"eve{i}@example.org") as eve:
                eve.do("claim", email=eve.email, url=url)
                assert eve.pair(victim.invitation())["event"] == "paired"
                noted(victim, "connection", code)
    victim.is_well()


if __name__ == "__main__":
    main(globals())
