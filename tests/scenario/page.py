"""What a browser does, in plain Python: GET and a WebSocket, as the page of 'tandem ui' uses them, and as others might."""
import base64
import json
import os
import socket
import struct
import subprocess

from control import BIN, PATIENCE_S, RpcError

TEXT, BINARY, CLOSE = 1, 2, 8


class Ui:
    """A running 'tandem ui'."""

    def __init__(self, installation, *options, stderr=None):
        self.process = subprocess.Popen([os.path.join(BIN, "tandem"), "ui", "--json", "--stdin-lifetime", *options],
                                        env=installation.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=stderr, text=True)
        self.read_link()

    def read_link(self):
        event = json.loads(self.process.stdout.readline())
        assert event["event"] == "ready", event
        self.url = event["url"]
        self.authority, self.link = self.url[len("http://"):].split("/#")
        self.port = int(self.authority.rsplit(":", 1)[1])

    def another_link(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.read_link()

    def end(self):
        if self.process.poll() is None:
            self.process.stdin.close()
        status = self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        return status

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)

    def request(self, text):
        """The answer to a request that is no upgrade: status, headers, body."""
        with self.connect() as s:
            s.sendall(text.encode())
            got = b""
            while piece := s.recv(65536):
                got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        return int(lines[0].split()[1]), dict(line.split(": ", 1) for line in lines[1:]), body

    def get(self, path, host=None):
        return self.request(f"GET {path} HTTP/1.1\r\nHost: {host or self.authority}\r\n\r\n")

    def visit(self, **headers):
        return Visit(self, **headers)

    def entered(self, **params):
        """A visit that is in, by the link unless params say otherwise."""
        visit = self.visit()
        visit.session = visit.call("ui.enter", **(params or {"link": self.link}))["session"]
        return visit


class Closed(Exception):
    def __init__(self, code, reason):
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason


class Visit:
    """A WebSocket. status is what the upgrade was answered with."""

    def __init__(self, ui, host=None, origin=None):
        origin = f"http://{ui.authority}" if origin is None else origin
        self.next_id = 1
        self.socket = ui.connect()
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET / HTTP/1.1\r\nHost: {host or ui.authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             + (f"Origin: {origin}\r\n" if origin else "")
                             + f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = self.socket.recv(1)
            if not piece:
                break
            head += piece
        self.status = int(head.split()[1]) if head else 0

    def read(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise Closed(1006, "")
            data += piece
        return data

    def send(self, data, kind=TEXT):
        data = data.encode() if isinstance(data, str) else data
        n = len(data)
        head = bytes([0x80 | kind]) + (bytes([0x80 | n]) if n < 126 else struct.pack(">BH", 0xfe, n) if n < 65536
                                       else struct.pack(">BQ", 0xff, n))
        self.socket.sendall(head + bytes(4) + data)  # masked with zeros

    def receive(self):
        """The next text; Closed."""
        first, n = self.read(2)
        n = struct.unpack(">H", self.read(2))[0] if n == 126 else struct.unpack(">Q", self.read(8))[0] if n == 127 else n
        data = self.read(n)
        if first & 15 == CLOSE:
            raise Closed(struct.unpack(">H", data[:2])[0] if n >= 2 else 1005, data[2:].decode())
        assert first == 0x80 | TEXT, first
        return json.loads(data)

    def ask(self, method, **params):
        """Sends only; the id of the request."""
        self.next_id += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}))
        return self.next_id

    def call(self, method, **params):
        asked = self.ask(method, **params)
        answer = self.receive()
        assert answer["id"] == asked, answer
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def ends(self):
        """With which code, once what was said before is read."""
        try:
            while True:
                self.receive()
        except Closed as closed:
            return closed.code
        except ConnectionResetError:
            return 1006
        finally:
            self.socket.close()

    def close(self):
        self.socket.close()
