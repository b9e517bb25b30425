"""Load that a peer causes, against a whole node: what it costs in memory, and what others notice of it (docs/security.md,
"Budgets"). As a test it runs with small sizes; TANDEM_LOAD=full takes the full ones and looks at the times, too:

    TANDEM_BIN=build/bin TANDEM_HOSTILE_PEER=build/tests/hostile_peer TANDEM_LOAD=full tests/scenario/hostile_load.py
"""
import json
import os
import socket
import struct
import threading
import time

from control import PATIENCE_S, main, until
from hostile import Peer, Socket, Victim, befriend, digest, link, offer_profile, text, thing

FULL = os.environ.get("TANDEM_LOAD") == "full"
GROWTH_KIB = 64 * 1024
REQUESTS = 1_000_000 if FULL else 300_000
HALF_OPEN = 10_000 if FULL else 500
LIST_BYTES = 16_000_000 if FULL else 8_000_000


class Watch:
    """Another client of the node meanwhile: answers within 0.1 s (99 of 100), messages sent within 1 s."""

    def __init__(self, victim):
        self.victim, self.answers, self.sends, self.over = victim, [], [], threading.Event()
        self.client = victim.t.client()

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        while not self.over.wait(0.02):
            began = time.monotonic()
            self.client.call("health", node="archive")
            self.answers.append(time.monotonic() - began)
            if FULL and len(self.answers) % 50 == 0:
                began = time.monotonic()
                self.victim.send("archive", f"meanwhile {began}")
                self.sends.append(time.monotonic() - began)

    def __exit__(self, *failure):
        self.over.set()
        self.thread.join()
        self.client.close()
        if failure[0] is None:
            p99 = sorted(self.answers)[len(self.answers) * 99 // 100]
            print(f"     answers: p99 {p99 * 1000:.0f} ms of {len(self.answers)}; sends: {max(self.sends, default=0):.2f} s; "
                  f"growth: {(self.victim.peak() - self.victim.resident) // 1024} MiB", flush=True)
            assert not FULL or (p99 <= 0.1 and max(self.sends, default=0) <= 1), (p99, self.sends)


# ---- Strangers ----

def test_strangers_that_begin_messages(t):
    """128 of them, each as much of a WebSocket message as it can place, never the end."""
    victim = Victim(t)
    url = victim.provisioned["archive"]["url"]
    part = os.urandom(16384)
    strangers = []
    with Watch(victim):
        for i in range(128):
            stranger = Socket(url)
            strangers.append(stranger)
            try:
                for n in range(63):  # below 1 MiB, what a single message may have
                    stranger.socket.sendall(struct.pack(">BBHI", 0x02 if n == 0 else 0, 0xfe, len(part), 0) + part)
            except ConnectionError:
                pass
        victim.is_well(GROWTH_KIB)
    victim.tells("budget.exceeded", kind="bytesHeld")
    use = victim.client.call("status")["archive"]["budgets"]["stranger"]["bytesHeld"]
    assert use["use"] <= use["limit"] and use["refused"] >= 64, use
    for stranger in strangers:
        stranger.close()


def test_half_open_sockets(t):
    victim = Victim(t)
    address = victim.provisioned["archive"]["url"].rsplit(":", 1)[1]
    crowd = []
    with Watch(victim):
        for _ in range(HALF_OPEN):
            try:
                crowd.append(socket.create_connection(("127.0.0.1", int(address)), timeout=PATIENCE_S))
            except OSError:
                pass  # turned away
            if len(crowd) > 700:  # our own descriptors
                crowd.pop(0).close()
        with Peer("late@example.org") as late:
            befriend(victim, late)
        victim.is_well(GROWTH_KIB)
    for idler in crowd:
        idler.close()


def test_nobody_pairs_without_an_invitation(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        invitation = victim.invitation()
        victim.ask("pairing.revoke", invitation=invitation["token"])
        assert eve.pair(invitation)["event"] != "paired"
        assert "Authentication token is not existing." in victim.tells("connection.closed", code="BAD-TOKEN")["reason"]


# ---- Handshakes ----

def upgrade(url, *headers):
    """The first line of the answer, b"" for none."""
    ask = Socket(url, upgrade=False)
    request = ask.request()[:-2] + b"".join(h.encode() + b"\r\n" for h in headers) + b"\r\n"
    try:
        ask.socket.sendall(request)
        return ask.socket.recv(4096).split(b"\r\n", 1)[0]
    except ConnectionError:
        return b""
    finally:
        ask.close()


def test_big_headers_are_answered(t):
    victim = Victim(t)
    url = victim.provisioned["archive"]["url"]
    for size in (4000, 5000, 8000, 15500):
        assert b" 101 " in upgrade(url, "Cookie: " + "c" * size), size
    for size in (20000, 30000, 50000):
        assert b" 431 " in upgrade(url, "Cookie: " + "c" * size), size
    assert victim.tells("connection.refused", reason="headers")["address"].startswith("127.0.0.1")
    upgrade(url, "Cookie: " + "c" * 500000)
    for protocols in ("chat", "x, y"):
        assert b" 101 " in upgrade(url, f"Sec-WebSocket-Protocol: {protocols}"), protocols
    victim.is_well(GROWTH_KIB)


# ---- Contacts ----

def test_answers_that_nobody_reads(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve, Watch(victim):
        befriend(victim, eve)
        eve.do("deaf")
        for service, arguments in ((1, []), (99, []), (6, ["ab" * 32]), (10, 7)):  # answered without the store
            request = {"requestId": 5, "type": "request", "serviceId": service, "args": arguments}
            eve.do("text", message=json.dumps(request), times=REQUESTS // 4)
        until(lambda: victim.client.call("status")["archive"]["budgets"]["contact"]["requests"]["use"] >= 4096, "it is not read")
        victim.is_well(GROWTH_KIB)


def test_one_entry_as_long_as_a_list(t):
    victim = Victim(t)
    bomb = '[{"type":"object","x":[' + "1," * (LIST_BYTES // 2) + "1]}]"
    with Peer("eve@example.org") as eve, Watch(victim):
        root = eve.exports.unversioned("Signature", thing("Signature", link("issuer", "id", eve.person),
                                                          link("data", "obj", "ab" * 32), text("signature", "ab" * 64)))
        eve.exports.children[root] = bomb
        befriend(victim, eve)
        victim.tells("sync.failed", code="LIST-TOO-BIG", hash=root)
        victim.is_well(GROWTH_KIB)
    with Peer("mallory@example.org") as mallory, Watch(victim):
        mallory.exports.roots = bomb
        befriend(victim, mallory)
        mallory.wait("closed")
        victim.is_well(GROWTH_KIB)


def test_long_lists_are_read_as_they_come(t):
    """Legitimate, but for what it lists."""
    victim = Victim(t)
    with Peer("eve@example.org") as eve, Watch(victim):
        root = eve.exports.unversioned("Signature", thing("Signature", link("issuer", "id", eve.person),
                                                          link("data", "obj", "ab" * 32), text("signature", "ab" * 64)))
        eve.exports.children[root] = json.dumps(
            [{"type": "object", "hash": digest(str(i))} for i in range(LIST_BYTES // 100)], separators=(",", ":"))
        befriend(victim, eve)
        until(lambda: eve.exports.times_asked(6) > 0, "what is listed is asked for")
        victim.is_well(GROWTH_KIB)


def test_texts_of_the_largest_size(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve, Watch(victim):
        root = eve.exports.unversioned("Signature", thing("Signature", link("issuer", "id", eve.person),
                                                          link("data", "obj", "ab" * 32), text("signature", "a" * LIST_BYTES)))
        befriend(victim, eve)
        victim.tells("sync.failed", code="OBJECT-TOO-BIG", hash=root)
        offered = offer_profile(eve, "Eve")
        until(lambda: victim.has(offered[1]), "others are taken over")
        victim.is_well(GROWTH_KIB)


if __name__ == "__main__":
    main(globals())
