"""Other programs that bring records from one process to another, on this machine in the same run. None encrypts, signs or
verifies each record; NATS JetStream and Yjs are here as anchors of speed."""
import json
import os
import shutil
import socket
import subprocess
import time

from limits import RECORD

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE_S = 60


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Nats:
    """A connection to a NATS server: its text protocol, as far as it is needed here."""

    def __init__(self, server, port):
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                if server.poll() is not None:
                    raise
                time.sleep(0.05)
        self.stream = self.socket.makefile("rb")
        self.stream.readline()  # INFO
        self.answers = b"answers.%d" % port  # subjects of the two servers are one
        self.socket.sendall(b'CONNECT {"verbose":false,"pedantic":false}\r\nSUB %s 1\r\n' % self.answers)

    def ask(self, subject, body):
        body = json.dumps(body).encode()
        self.socket.sendall(b"PUB %s %s %d\r\n%s\r\n" % (subject.encode(), self.answers, len(body), body))
        while True:
            line = self.stream.readline()
            if line.startswith(b"PING"):
                self.socket.sendall(b"PONG\r\n")
            elif line.startswith(b"MSG"):
                answer = json.loads(self.stream.read(int(line.split()[-1]) + 2))
                assert "error" not in answer, answer
                return answer

    def publish(self, count):
        message = b"PUB records %d\r\n%s\r\n" % (len(RECORD), RECORD)
        for _ in range(count // 100):
            self.socket.sendall(message * 100)

    def messages(self, stream):
        return self.ask(f"$JS.API.STREAM.INFO.{stream}", {})["state"]["messages"]

    def wait_for(self, stream, count):
        deadline = time.monotonic() + PATIENCE_S
        while self.messages(stream) < count:
            assert time.monotonic() < deadline, "the stream is not complete"
            time.sleep(0.002)


def start_nats(folder, name, port, leaf):
    path = os.path.join(folder, f"nats-{name}.conf")
    with open(path, "w", encoding="ascii") as file:
        file.write(f'listen: 127.0.0.1:{port}\nserver_name: {name}\njetstream {{ store_dir: "{folder}/nats-{name}", domain: {name} }}\n'
                   f"leafnodes {{ {leaf} }}\n")
    return subprocess.Popen(["nats-server", "-c", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def mirror(near, far, count):
    near.ask("$JS.API.STREAM.CREATE.records", {"name": "records", "subjects": ["records"], "storage": "file"})
    near.publish(count)
    near.wait_for("records", count)
    time.sleep(1)  # the leaf connection has its own pace
    began = time.monotonic()
    far.ask("$JS.API.STREAM.CREATE.mirror", {"name": "mirror", "storage": "file", "mirror": {
        "name": "records", "external": {"api": "$JS.near.API"}}})
    far.wait_for("mirror", count)
    return (time.monotonic() - began) * 1000


def nats(folder, count):
    """From the order to mirror a stream of another server until it is whole: ms."""
    if shutil.which("nats-server") is None:
        return None
    for _ in range(5):  # a free port may be taken by somebody else meanwhile
        ports = [free_port() for _ in range(3)]
        servers = [start_nats(folder, "near", ports[0], f"listen: 127.0.0.1:{ports[2]}"),
                   start_nats(folder, "far", ports[1], f"remotes: [{{ url: nats://127.0.0.1:{ports[2]} }}]")]
        try:
            return mirror(Nats(servers[0], ports[0]), Nats(servers[1], ports[1]), count)
        except OSError:
            if all(server.poll() is None for server in servers):
                raise
        finally:
            for server in servers:
                server.terminate()
                server.wait()
    raise OSError("nats-server does not start")


def yjs(folder, count):
    """One document with so many texts, from one Node.js process to another that writes it to a file: ms. YJS_PEER names a
    folder with the package yjs."""
    packages = os.environ.get("YJS_PEER")
    if packages is None or not os.path.isdir(os.path.join(packages, "node_modules", "yjs")):
        return None
    done = subprocess.run(["node", os.path.join(HERE, "yjs.mjs"), packages, folder, str(count)], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=True)
    return float(done.stdout)
