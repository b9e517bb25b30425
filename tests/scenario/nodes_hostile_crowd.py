"""Hostile peers that take their time, and many that do nothing at all (WIRE.md 2, 13)."""
import json
import os
import queue
import signal
import subprocess
import threading
import time

from control import BIN, main, until, within
from hostile import Peer, Socket, Victim, befriend

CROWD = int(os.environ.get("TANDEM_CROWD", "2000"))
ANSWER_S = 0.2  # the time a peer takes to answer; a node that stops waits for 0.7 s

CROWD_AT_RELAY = 20  # waiting at once; handovers are replaced at a pace: 32, then 8 a second


def test_slow_peers_are_not_waited_for(t):
    victim = Victim(t)
    url = victim.provisioned["archive"]["url"]
    begun = time.monotonic()
    silent = Socket(url, upgrade=False)
    trickling = Socket(url, upgrade=False)
    upgraded = Socket(url)
    halfway = Socket(url)
    halfway.socket.sendall(b"\x81\xfe\x10\x00\0\0\0\0" + b"{")  # one byte of 4,096
    peers = [Peer(f"mute{i}@example.org") for i in range(8)]
    deaf = Peer("deaf@example.org")
    try:
        befriend(victim, deaf)
        deaf.do("text", message='{"requestId":0,"type":"request","serviceId":2,"args":[]}', times=2000)
        deaf.process.send_signal(signal.SIGSTOP)
        for i, peer in enumerate(peers):
            peer.do("tamper", how="mute", after=i + 1)
            peer.do("pair", invitation=victim.invitation())
        request = trickling.request()
        trickled = 0
        try:
            while time.monotonic() - begun < 15:
                trickling.socket.sendall(request[trickled:trickled + 1])
                halfway.socket.sendall(b"{")
                trickled += 1
                time.sleep(0.2)
        except ConnectionError:
            pass
        for slow in (silent, trickling, upgraded, halfway):
            assert slow.ended()
        victim.is_well()
        for peer in peers:
            peer.wait("closed", "failed", patience=45)
        assert time.monotonic() - begun < within(60)
        victim.tells("connection.refused", reason="timeout")
        victim.tells("connection.closed", code="CONN-TIMEOUT")
        victim.tells("connection.closed", code="PEER-SILENT")
    finally:
        for peer in (deaf, *peers):
            peer.__exit__()
    victim.is_well()


def test_a_crowd_of_idlers(t):
    victim = Victim(t)
    url = victim.provisioned["archive"]["url"]
    crowd = []
    for i in range(CROWD):
        try:
            crowd.append(Socket(url, upgrade=i % 2 == 0))
        except (ConnectionError, OSError):
            pass  # turned away
        if i % 500 == 499:
            victim.is_well()
        if len(crowd) > 800:  # our own descriptors
            crowd.pop(0).close()
    assert victim.tells("connection.refused", reason="crowded")["count"] >= 1
    with Peer("late@example.org") as late:
        befriend(victim, late)
        t.call("restart", node="sparse")
        until(lambda: t.call("status")["federated"], "our own node comes back")
        victim.is_well()
    for idler in crowd:
        idler.close()
    victim.is_well()


class Relay:
    """The program tandem-relay."""

    def __enter__(self):
        self.process = subprocess.Popen([os.path.join(BIN, "tandem-relay"), "--listen", "localhost:0", "--json"],
                                        stdout=subprocess.PIPE, text=True)
        return json.loads(self.process.stdout.readline())["url"]

    def __exit__(self, *ignored):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def test_a_crowd_through_a_relay(t):
    with Relay() as url:
        victim = Victim(t, "--relay", url)
        victim.tells("listener.changed", state="listening")
        request = {"command": "communication_request", "sourcePublicKey": os.urandom(32).hex(),
                   "targetPublicKey": victim.invitation()["publicKey"]}
        crowd = []

        def is_crowded():
            crowd.append(Socket(url))
            crowd[-1].frame(1, json.dumps(request).encode())
            waiting = [c for c in victim.ask("connections.list")["items"] if c["transport"] == "relay"]
            return len(waiting) >= CROWD_AT_RELAY

        until(is_crowded, "they are handed over, and wait")
        crowd += [Socket(victim.provisioned["archive"]["url"], source=f"127.0.0.{2 + i}") for i in range(120)]
        victim.tells("connection.closed", code="CROWDED")
        with Peer("late@example.org") as late:
            invitation = victim.invitation(via="relay")
            until(lambda: late.pair(invitation)["event"] == "paired", "somebody who asks again gets in")
        victim.is_well()
        for idler in crowd:
            idler.close()


def test_a_node_that_stops_waits_for_answers(t):
    """A reference peer may end when its answer finds the connection closed (WIRE.md 9.3)."""
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        befriend(victim, eve)
        answer, waiting = eve.exports.answer, []
        eve.exports.answer = lambda peer, request: waiting.append(request)
        until(lambda: waiting, "the node asks again")
        restart = threading.Thread(target=victim.ok, args=("restart", "archive"))
        restart.start()
        try:
            early = eve.wait("closed", patience=ANSWER_S)
        except queue.Empty:
            early = None
        for request in waiting:
            answer(eve, request)
        restart.join()
        assert early is None
        eve.wait("closed")


if __name__ == "__main__":
    main(globals())
