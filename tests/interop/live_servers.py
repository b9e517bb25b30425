"""The servers between our nodes and live peers: relays of every kind, and certificates."""
import os
import shutil
import socket
import ssl
import subprocess
import tempfile

from live import BIN, Installation, Proxy, free_port, until
from nodes import Pair

REFERENCE_RELAY = "node_modules/@refinio/one.models/lib/tools/CommunicationServer.js"


def listens(port):
    try:
        socket.create_connection(("localhost", port)).close()
        return True
    except OSError:
        return False


def start(*command):
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Relay:
    """A relay process. It keeps its port when it is stopped and started again."""

    def __init__(self, *options):
        self.port = free_port()
        self.url = f"ws://localhost:{self.port}"
        self.options = options
        self.start()

    def command(self):
        return os.path.join(BIN, "tandem-relay"), "--listen", f"localhost:{self.port}", *self.options

    def start(self):
        self.process = start(*self.command())
        until(lambda: listens(self.port), "the relay listens")

    def stop(self):
        self.process.kill()
        self.process.wait(10)


class ReferenceRelay(Relay):
    """The reference's communication server."""

    def command(self):
        return "node", os.path.join(os.environ["ONE_PEER"], REFERENCE_RELAY), "-h", "localhost", "-p", str(self.port)


class TlsRelay(Relay):
    """Our relay behind a proxy that ends TLS."""

    def __init__(self, certificate):
        super().__init__()
        self.proxy = Proxy(self.port, certificate.wrap)
        self.url = f"wss://localhost:{self.proxy.port}"

    def stop(self):
        self.proxy.close()
        super().stop()


class EmbeddedRelay:
    """The relay of the archive of another installation."""

    def __init__(self):
        self.t = Installation()
        self.t.environment["TANDEM_RELAY_LISTEN"] = f"localhost:{free_port()}"
        Pair(self.t)
        listeners = self.t.call("status")["archive"]["listeners"]
        self.url = next(x["url"] for x in listeners if x["type"] == "relay-server")

    def stop(self):
        try:
            self.t.stop()
        finally:
            self.t.clean()


class Cluster:
    """Relays that share their listeners over a NATS server."""

    def __init__(self, count):
        self.nats_port = free_port()
        self.start_nats()
        self.relays = [Relay("--cluster", f"nats://127.0.0.1:{self.nats_port}") for _ in range(count)]

    def start_nats(self):
        self.nats = start("nats-server", "-a", "127.0.0.1", "-p", str(self.nats_port))
        until(lambda: listens(self.nats_port), "the NATS server listens")

    def stop_nats(self):
        self.nats.kill()
        self.nats.wait(10)

    def stop(self):
        for relay in self.relays:
            relay.stop()
        self.stop_nats()


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
