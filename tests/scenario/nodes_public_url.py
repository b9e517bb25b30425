"""listen.public_url: an archive that others reach at another address than its listener's, as behind a TLS proxy."""
import json
import signal
import socket
from urllib.parse import urlsplit

from control import SECRET, Installation, main, until
from nodes import Pair, read
from proxy import Proxy

PUBLIC = "wss://home.invalid/tandem"


def announced(pair):
    """Where the archive's profile says that it is."""
    endpoints = pair.ok("--node", "archive", "profile", "get")["endpoints"]
    return [e["url"] for e in endpoints if e["type"] == "OneInstanceEndpoint"]


def start_again(pair, *options):
    assert pair.t.stop() == 0
    pair.t.up("--listen", "localhost:0", *options)
    assert pair.ok("provision", stdin=SECRET + "\n")["federated"]


def test_invitations_and_the_profile_name_it(t):
    joe = Pair(t, "--public-url", PUBLIC)
    here = joe.provisioned["archive"]["url"]
    assert joe.provisioned["federated"] and here.startswith("ws://localhost:")  # the own node needs no proxy
    assert joe.ok("invite")["url"] == joe.ok("--node", "archive", "id")["url"] == PUBLIC
    assert announced(joe) == [PUBLIC]
    assert joe.ok("--node", "sparse", "id")["url"] is None
    [listener] = joe.ok("status")["archive"]["listeners"]
    assert listener.items() >= {"type": "websocket", "url": here, "state": "listening", "publicUrl": PUBLIC}.items()
    assert f"{here} (listening), for others {PUBLIC}\n" in t.cli("status")[1]


def test_it_changes_with_a_restart(t):
    joe = Pair(t)
    here = joe.provisioned["archive"]["url"]
    assert announced(joe) == [here]
    start_again(joe, "--public-url", PUBLIC)
    assert announced(joe) == [PUBLIC]
    start_again(joe)
    assert announced(joe) == [joe.ok("invite")["url"]] == [here]
    assert "publicUrl" not in joe.ok("status")["archive"]["listeners"][0]


def test_a_reload_and_a_restart_of_the_archive_are_enough(t):
    joe = Pair(t)
    with open(t.path("tandem.conf"), "w") as file:
        file.write(f"[listen]\npublic_url = {PUBLIC}\n")
    t.process.send_signal(signal.SIGHUP)
    until(lambda: "config.reloaded" in read(t.path("log", "supervisor.log")).decode(), "the settings are read again")
    t.call("restart", node="archive")
    until(lambda: joe.cli("invite")[1].get("url") == PUBLIC, "the archive is back")
    assert announced(joe) == [PUBLIC]


def test_contacts_follow_it(t):
    second = Installation()
    joe = Pair(t)
    proxy = Proxy(urlsplit(joe.provisioned["archive"]["url"]).port)
    url = f"ws://127.0.0.1:{proxy.port}"
    try:
        ann = Pair(second, user="ann")
        ann.ok("--node", "sparse", "pair", json.dumps(joe.ok("invite")))
        of_joe = lambda method: [c for c in second.call(method, node="sparse")["items"]
                                 if joe.archive in (c.get("personId"), c.get("remotePersonId"))]
        start_again(joe, "--public-url", url)
        until(lambda: url in [i["url"] for c in of_joe("contacts.list") for i in c["instances"]], "Ann learns of it")
        proxy.target = another_port(proxy.target)
        start_again(joe, "--public-url", url, "--listen", f"localhost:{proxy.target}")
        until(lambda: [(e["url"], e["state"]) for e in of_joe("endpoints.list")] == [(url, "active")], "Ann comes back")
        assert [c["url"] for c in of_joe("connections.list")] == [url] and proxy.pairs
        assert second.stop() == 0
    finally:
        proxy.close()
        second.clean()


def another_port(taken):
    with socket.create_server(("localhost", 0)) as s:
        port = s.getsockname()[1]
    return port if port != taken else another_port(taken)


def answer(port, host):
    """The first line of the answer to a request that a proxy passes on with the Host it got."""
    with socket.create_connection(("localhost", port)) as s:
        s.sendall(f"GET /tandem HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
        return s.makefile("rb").readline().decode().split()[1:2]


def test_proxies_may_pass_its_name_on(t):
    joe = Pair(t, "--public-url", PUBLIC)
    port = urlsplit(joe.provisioned["archive"]["url"]).port
    assert answer(port, "home.invalid") == ["101"]
    assert answer(port, "elsewhere.invalid") != ["101"]


def test_an_archive_on_every_address_needs_no_other_name(t):
    joe = Pair(t, "--listen", "0.0.0.0:0", "--public-url", PUBLIC)
    assert joe.provisioned["archive"]["url"].startswith("ws://127.0.0.1:")
    assert joe.ok("invite")["url"] == PUBLIC


if __name__ == "__main__":
    main(globals())
