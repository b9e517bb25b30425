"""A TCP proxy that can cut the network, and end TLS."""
import socket
import threading
import time


class Proxy:
    """Forwards TCP connections to localhost:port, and can cut all of them and refuse new ones, cut each after limit bytes
    in one direction, or hold up what passes."""

    def __init__(self, port, wrap=None):
        self.target = port
        self.wrap = wrap  # turns an accepted socket into a TLS one
        self.open = True
        self.limit = None
        self.delay = 0  # seconds, in each direction
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        if not self.open:
            client.close()
            return
        try:
            client = self.wrap(client) if self.wrap else client
            server = socket.create_connection(("localhost", self.target))
        except OSError:
            client.close()
            return
        self.pairs.append((client, server))
        threading.Thread(target=self.pump, args=(client, server), daemon=True).start()
        self.pump(server, client)

    def pump(self, source, target):
        passed = 0
        try:
            while data := source.recv(65536):
                passed += len(data)
                if self.limit is not None and passed > self.limit:
                    break
                time.sleep(self.delay)
                target.sendall(data)
        except OSError:
            pass
        for s in (source, target):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self.open = False
        for pair in self.pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs = []

    def mend(self):
        self.open = True

    def close(self):
        self.cut()
        self.listener.close()
