"""How long things take, as far as a test may say so: who waits for whom, and what the figures that are shown mean."""
import os
import threading
from urllib.parse import urlsplit

from control import Installation, main, until
from nodes import Pair, dumps
from nodes_connections import ended
from proxy import Proxy

SANITIZER = os.environ.get("TANDEM_SANITIZE")
LINES = 900
LIMITS_MS = {"connecting": 2000, "encrypting": 500, "authenticating": 1000, "pairing": 3000}  # FEATURES D85 – D88
TOTAL_MS = 7000  # D89


def test_a_connection_is_made_in_time(t):
    pair = Pair(t)
    pairing = ended(pair, protocol="pairing")
    took = {step["state"]: step["ms"] for step in pairing["steps"]}
    assert LIMITS_MS.keys() <= took.keys(), took
    if not SANITIZER:
        assert all(took[state] < limit for state, limit in LIMITS_MS.items()), took
        assert pair.provisioned["milliseconds"] < TOTAL_MS, pair.provisioned


def test_a_slow_way_shows_in_the_latency(t):
    second = Installation()
    proxy = Proxy(None)
    joe = Pair(t, "--public-url", f"ws://127.0.0.1:{proxy.port}")
    proxy.target = urlsplit(joe.provisioned["archive"]["url"]).port
    try:
        ann = Pair(second, "--listen", "none", user="ann")  # so that she dials
        ann.ok("pair", "-", stdin=dumps(joe.ok("invite")))
        way = lambda: [c for c in ann.ok("--node", "archive", "connections")
                       if c["live"] and c["remotePersonId"] == joe.archive and c["state"] == "active"]
        until(way, "the two archives are connected")
        assert str(proxy.port) in way()[0]["url"]
        proxy.delay = 0.1
        for i in range(3):  # each brings questions across
            ann.ok("chat", "send", "--to", joe.archive, f"slowly {i}")
        until(lambda: any((c["latencyMs"] or 0) >= 200 for c in way()), "0.1 s in each direction are 0.2 s there and back")
        assert second.stop() == 0
    finally:
        proxy.close()
        second.clean()


def test_nobody_waits_for_a_bulk(t):
    pair = Pair(t)
    lines = [f"line {i}" for i in range(LINES)]
    sender = threading.Thread(target=pair.send_lines, args=("archive", lines))
    arrived = lambda: len(t.call("chat.list", node="sparse", **{"with": pair.archive}, limit=1000)["items"])
    sender.start()
    answers = 0
    while sender.is_alive() and answers < 20:
        assert t.call("status")["federated"]
        answers += 1
    assert answers == 20 and arrived() < LINES, "all was there before the questions were answered"
    sender.join()
    until(lambda: arrived() == LINES, "all has come across")


if __name__ == "__main__":
    main(globals())
