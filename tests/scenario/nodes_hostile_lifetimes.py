"""A hostile peer that is gone, or out of turn, before the store has answered what it asked (docs/security.md, Lifetimes)."""
import json

from control import main, until
from hostile import Exports, Peer, Victim, befriend, offer_profile

START = json.dumps({"type": "start_protocol", "protocol": "getAccessibleObjects", "version": "1.0"})
DATA = json.dumps({"type": "start_protocol", "protocol": "getData", "version": "1.0"})
TIMES = 8


def asking(kind, hash):
    return json.dumps({"type": "request_data", "hashType": kind, "hash": hash})


def interrupt(peer):
    """Everything that ends a connection, or may be thought to, in the middle of an answer."""
    return [lambda: peer.do("binary", size=1), lambda: peer.do("close"), lambda: peer.do("text", message=START, times=3),
            lambda: peer.do("binary", size=1 << 16, times=3), lambda: peer.do("tamper", how="flip") or peer.do("text", message="x"),
            lambda: peer.do("text", message="no JSON") or peer.do("close")]


def attack(peer, group, invitation, messages, interruption):
    peer.do(group, invitation=invitation)
    peer.wait("ready")
    for message in messages:
        peer.do("text", message=message)
    interruption()
    peer.do("close")
    peer.wait("closed")
    peer.do("tamper", how="not")


def test_debug_answers_come_for_connections_that_are_gone(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve, Peer("eve@example.org") as none:
        invitation = befriend(victim, eve)
        _, mine, _ = offer_profile(eve, "Eve")
        until(lambda: victim.has(mine), "something can be listed")
        eve.close()
        for _ in range(TIMES):
            for interruption in interrupt(eve):
                attack(eve, "debug", invitation, [START], interruption)
                attack(eve, "debug", invitation, [DATA, asking("object", mine)], interruption)
                attack(eve, "debug", invitation, [DATA, asking("blob", none.person)] * 2, interruption)
    victim.is_well()


def test_requests_are_answered_for_connections_that_are_gone(t):
    victim = Victim(t)
    with Peer("eve@example.org") as eve:
        invitation = befriend(victim, eve)
        _, mine, _ = offer_profile(eve, "Eve")
        until(lambda: victim.has(mine), "something can be asked for")
        eve.close()
        requests = [json.dumps({"requestId": i, "type": "request", "serviceId": service, "args": arguments})
                    for i, (service, arguments) in enumerate([(2, []), (4, [mine]), (6, [mine]), (8, [mine]), (2, [])] * 8)]
        for _ in range(TIMES // 2):
            for interruption in interrupt(eve):
                attack(eve, "chum", invitation, ["synchronisation", *requests], interruption)
    victim.is_well()


def test_contacts_are_stored_for_connections_that_are_gone(t):
    victim = Victim(t)
    for i in range(TIMES):
        with Peer(f"guest{i}@example.org") as guest:  # closes as soon as it has sent its identity
            assert guest.pair(victim.invitation())["event"] == "paired"
            until(lambda: guest.person in victim.persons(), "it is stored all the same")
    victim.is_well()


class Streams(Exports):
    """Answers with pieces of a stream where one answer was asked for."""

    def __init__(self, service, pieces):
        super().__init__()
        self.service, self.pieces, self.streamed = service, pieces, 0

    def answer(self, peer, request):
        if request["serviceId"] != self.service:
            return super().answer(peer, request)
        self.streamed += 1
        piece = {"responseId": request["requestId"], "type": "stream", "chunk": "[]", "encoding": "utf8"}
        for message in [piece] * self.pieces + [{"responseId": request["requestId"], "type": "stream-end"}] * 2:
            peer.say(message)


def test_answers_are_no_streams(t):
    victim = Victim(t)
    for service in (1, 2, 4, 6):
        with Peer(f"eve{service}@example.org") as eve:
            befriend(victim, eve)
            eve.close()
            for pieces in (0, 2):
                eve.exports = Streams(service, pieces)
                offer_profile(eve, f"Eve {pieces}")
                eve.do("chum", invitation=victim.invitation())
                eve.wait("ready")
                eve.do("text", message="synchronisation")
                until(lambda: eve.exports.streamed, f"service {service} was asked for")
                eve.do("close")
                eve.wait("closed")
    victim.is_well()


if __name__ == "__main__":
    main(globals())
