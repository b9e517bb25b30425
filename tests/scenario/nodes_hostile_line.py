"""A hostile peer or web page on the line: frames that are damaged, out of order or too big, listeners that never answer,
requests that are none (WIRE.md 2 - 4)."""
import socket

from control import PATIENCE_S, main, until
from hostile import Peer, Socket, Victim, befriend, is_dropped

DAMAGES = ("flip", "truncate", "replay", "lose", "swap")
REFUSED = 400
STEPS = 9  # messages of an initiator before the last of its pairing


def test_damaged_frames_end_the_connection(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        invitation = befriend(victim, eve)
        for how in DAMAGES:
            ends = len(victim.events("connection.closed"))
            eve.do("tamper", how=how)
            eve.do("text", message="{}", times=2)
            assert eve.wait("closed", "ready")["event"] == "closed", how
            until(lambda: "BAD-FRAME" in [e["code"] for e in victim.events("connection.closed")[ends:]], f"{how} is told")
            eve.do("tamper", how="not")
            eve.chum(invitation)
    victim.is_well()


def test_damaged_handshakes_end_the_connection(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        for how in ("flip", "truncate", "replay"):
            for after in range(STEPS):
                ends = len(victim.events("connection.closed"))
                eve.do("tamper", how=how, after=after)
                eve.pair(victim.invitation())
                told = until(lambda: victim.events("connection.closed")[ends:], f"{how} after {after} messages is told")
                assert told[0]["code"] in ("CYENC-SYMDEC", "BAD-MESSAGE", "BAD-FRAME"), (how, after, told)
                eve.do("tamper", how="not")
        assert victim.persons() == {victim.sparse} and len(victim.events("pairing.accepted")) == 1
        befriend(victim, eve)
    victim.is_well()


# ---- Listeners ----

def lure(victim, eve, listener):
    """Pairs, and has the node dial the listener; the socket on which it does."""
    eve.do("claim", email=eve.email, url=f"ws://127.0.0.1:{listener.getsockname()[1]}")
    assert eve.pair(victim.invitation())["event"] == "paired"
    listener.settimeout(PATIENCE_S)
    return listener.accept()[0]


def test_listeners_that_never_answer_are_given_up(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve, socket.create_server(("127.0.0.1", 0)) as listener:
        dialled = lure(victim, eve, listener)
        assert is_dropped(dialled), "after 5 s"
    victim.is_well()


def test_listeners_that_answer_without_end_are_given_up(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve, socket.create_server(("127.0.0.1", 0)) as listener:
        dialled = lure(victim, eve, listener)
        try:
            dialled.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
            for _ in range(1000):
                dialled.sendall(b"X: " + b"x" * 65536 + b"\r\n")
        except ConnectionError:
            pass
        assert is_dropped(dialled)
    victim.is_well()


# ---- Requests ----

def test_oversized_frames(t):
    victim = Victim(t)
    url = victim.provisioned["archive"]["url"]
    for opcode, announced in ((1, 1 << 40), (2, 1 << 31), (1, 2 << 20), (9, 1 << 20)):
        bad = Socket(url)
        try:
            bad.frame(opcode, b"x" * 65536, announced=announced)
            for _ in range(64):
                bad.socket.sendall(b"x" * 65536)
        except (ConnectionError, socket.timeout):
            pass
        assert bad.ended()
    until(lambda: sum(e["code"] == "MESSAGE-TOO-BIG" for e in victim.events("connection.closed")) == 3, "three are told")
    victim.is_well()


def test_frames_that_websocket_does_not_allow(t):
    victim = Victim(t)
    frames = ((0, b"continues nothing"), (3, b"no such opcode"), (1, b"no UTF-8: \xff"))
    bad = [Socket(victim.provisioned["archive"]["url"]) for _ in frames]
    for sender, (opcode, payload) in zip(bad, frames):
        sender.frame(opcode, payload)
    assert all(sender.ended() for sender in bad)
    until(lambda: sum(e["code"] == "BAD-WEBSOCKET" for e in victim.events("connection.closed")) == len(frames), "all are told")
    victim.is_well()


def test_web_pages_are_named_when_refused(t):
    victim = Victim(t)
    page = Socket(victim.provisioned["archive"]["url"], origin="https://evil.example")
    assert b"403" in page.status, page.status
    assert victim.tells("connection.refused", reason="origin")["address"].startswith("127.0.0.1")


def test_a_crowd_that_is_refused_fills_no_log(t):
    victim = Victim(t)
    url = victim.provisioned["archive"]["url"]
    for _ in range(REFUSED):
        Socket(url, origin="https://evil.example").close()
    told = lambda: [e["count"] for e in victim.events("connection.refused")]
    until(lambda: sum(told()) == REFUSED, "all are counted")
    with open(t.path("log", "archive.log")) as file:
        lines = [line for line in file if "refused" in line]
    assert len(lines) <= len(told()) < REFUSED / 4, (lines[:3], told())
    victim.is_well()


if __name__ == "__main__":
    main(globals())
