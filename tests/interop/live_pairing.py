"""Every pairing direction and every way to the other side (points 1 and 4) with a live peer. Each case makes its own stage;
role "browser": the peer accepts our archive's invitation, "node": our sparse node accepts the peer's."""
import os
import shutil
import socket
import ssl
import subprocess
import tempfile

from live import BIN, NOT_TRIED, Proxy, RpcError, Stage, free_port, slack, until

CHUM_LIMIT_MS = 1500
REFERENCE_RELAY = "node_modules/@refinio/one.models/lib/tools/CommunicationServer.js"


class Relay:
    """A relay process: ours, or the reference's. It keeps its port when it is stopped and started again."""

    def __init__(self, ours):
        self.port = free_port()
        self.url = f"ws://localhost:{self.port}"
        if ours:
            self.command = [os.path.join(BIN, "tandem-relay"), "--listen", f"localhost:{self.port}"]
        else:
            server = os.path.join(os.environ["ONE_PEER"], REFERENCE_RELAY)
            self.command = ["node", server, "-h", "localhost", "-p", str(self.port)]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.listens, "the relay listens")

    def listens(self):
        try:
            socket.create_connection(("localhost", self.port)).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait(10)


def meet(s, **options):
    """Pairs, and talks both ways; CHUM has to run soon."""
    ms = s.pair_up(**options)
    assert ms <= slack() * CHUM_LIMIT_MS, f"CHUM {ms:.0f} ms after the pairing"
    s.talk(first="we" if s.role == "browser" else "they")
    return f"CHUM after {max(ms, 0):.0f} ms"


def on_stage(role, play, *peer_options, **options):
    s = Stage(role, *peer_options, **options)
    try:
        return play(s)
    except BaseException as failure:
        failure.add_note(s.report())
        raise
    finally:
        s.clean()


def over_address(role, host):
    shown = f"[{host}]" if ":" in host else host
    if role == "browser":
        return on_stage(role, meet, up=("--listen", f"{shown}:0"))
    return on_stage(role, meet, "--listen", str(free_port()), "--host", host)


def over_localhost(role):
    return over_address(role, "localhost")


def over_ipv4(role):
    return over_address(role, "127.0.0.1")


def over_ipv6(role):
    return over_address(role, "::1")


def through_relay(role, ours):
    relay = Relay(ours)
    try:
        def play(s):
            if role == "browser":
                until(lambda: registered(s), "our archive is registered")
            return meet(s, via="relay")

        options = {"up": ("--relay", relay.url)} if role == "browser" else {}
        return on_stage(role, play, "--relay", relay.url, relay=relay, **options)
    finally:
        relay.stop()


def registered(s):
    return any(x["type"] == "relay" and x["state"] == "listening" for x in s.t.call("status")["archive"]["listeners"])


def through_our_relay(role):
    return through_relay(role, True)


def through_their_relay(role):
    return through_relay(role, False)


class Certificate:
    """A self-signed certificate for localhost."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="tandem-tls-")
        self.file = os.path.join(self.folder, "cert.pem")
        key = os.path.join(self.folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", self.file],
                       check=True, capture_output=True, timeout=60)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.file, key)

    def wrap(self, client):
        return self.context.wrap_socket(client, server_side=True)

    def clean(self):
        shutil.rmtree(self.folder)


def over_tls(role):
    """wss:// through a proxy that ends TLS; the dialling side knows the certificate."""
    certificate = Certificate()
    port = free_port()
    proxy = Proxy(port, certificate.wrap)
    url = f"wss://localhost:{proxy.port}"
    try:
        if role == "browser":
            return on_stage(role, lambda s: meet(s, change_url=lambda _: url), up=("--listen", f"localhost:{port}"),
                            peer_environment={"NODE_EXTRA_CA_CERTS": certificate.file})
        return on_stage(role, meet, "--listen", str(port), "--url", url, environment={"TANDEM_TLS_CA_FILE": certificate.file})
    finally:
        proxy.close()
        certificate.clean()


def over_tls_with_unknown_certificate(role):
    if role == "browser":
        return NOT_TRIED  # the peer's own business
    certificate = Certificate()
    port = free_port()
    proxy = Proxy(port, certificate.wrap)

    def play(s):
        try:
            s.call("pairing.accept", invitation=s.peer.ask("invite", "invitation")["invitation"])
        except RpcError as refused:
            return refused.code
        raise AssertionError("an unknown certificate was accepted")

    try:
        return on_stage(role, play, "--listen", str(port), "--url", f"wss://localhost:{proxy.port}")
    finally:
        proxy.close()
        certificate.clean()


CASES = [
    ("1", "pairing, CHUM, chat over ws://localhost", over_localhost),
    ("1", "the same over 127.0.0.1", over_ipv4),
    ("1", "the same over [::1]", over_ipv6),
    ("1", "the same over wss:// with an own CA", over_tls),
    ("1", "wss:// with an unknown certificate is refused", over_tls_with_unknown_certificate),
    ("4", "pairing, CHUM, chat through tandem-relay", through_our_relay),
    ("4", "the same through the reference's communication server", through_their_relay),
]
