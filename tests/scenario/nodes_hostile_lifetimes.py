"""A hostile peer that is gone, or out of turn, before the store has answered what it asked (docs/security.md, Lifetimes)."""
import json

from control import main, until
from hostile import Peer, Victim, befriend, offer_profile

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


if __name__ == "__main__":
    main(globals())
