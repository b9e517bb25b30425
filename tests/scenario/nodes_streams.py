"""Files as raw bytes past the supervisor (blob.stream): whole or not at all, one ticket for one file, bounded, and nobody
waits for anybody."""
import base64
import hashlib
import json
import os
import resource
import signal
import socket
import stat
import struct
import subprocess
import threading

from control import BIN, PATIENCE_S, fails_with, main, until
from nodes import Pair, read, write
from nodes_files import arriving, below, begun

STREAMS = 8  # at most, promised or under way
EDGES = (0, 1, 65536, 65537, (1 << 20) - 1, 1 << 20, (1 << 20) + 1)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def connect(way):
    """With the ticket given."""
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(PATIENCE_S)
    stream.connect(way["socket"])
    stream.sendall(way["ticket"].encode() + b"\n")
    return stream


def rest(stream):
    """What comes until the end."""
    data = bytearray()
    while piece := stream.recv(1 << 20):
        data += piece
    stream.close()
    return bytes(data)


def last_word(stream):
    stream.shutdown(socket.SHUT_WR)
    return json.loads(rest(stream))


def refused(stream, code):
    word = last_word(stream)
    assert word["error"]["data"]["code"] == code, word


def begin(t):
    return t.call("blob.begin")["blob"]


def way_in(t, blob):
    return t.call("blob.stream", blob=blob)


def way_out(t, hash):
    return t.call("blob.stream", hash=hash)


def stream_in(t, data):
    """Puts data as a client would, and says the hash."""
    blob = begin(t)
    stream = connect(way_in(t, blob))
    stream.sendall(data)
    assert last_word(stream) == {"size": len(data)}
    stored = t.call("blob.commit", blob=blob)
    assert stored["size"] == len(data)
    return stored["hash"]


def stream_out(t, hash):
    line, _, data = rest(connect(way_out(t, hash))).partition(b"\n")
    assert json.loads(line) == {"size": len(data)}
    return data


def streams_of(t, node="sparse"):
    """Connections to its socket, as the kernel lists them; the listening one is not counted."""
    with open("/proc/net/unix", encoding="ascii") as lines:
        return sum(line.rstrip().endswith(" " + t.path("run", node + ".file.sock")) for line in lines) - 1


def test_every_size_comes_out_as_it_went_in(t):
    pair = Pair(t)
    for size in EDGES:
        data = os.urandom(size)
        hash = stream_in(t, data)
        assert hash == digest(data) and stream_out(t, hash) == data, size
        source, target = write(os.path.join(t.top, "source"), os.urandom(size)), os.path.join(t.top, "target")
        stored = pair.ok("blob", "put", source)
        assert stored == {"hash": digest(read(source)), "size": size}
        pair.ok("blob", "get", stored["hash"], "-o", target)
        assert read(target) == read(source), size
        os.remove(target)

    source = write(os.path.join(t.top, "source"), os.urandom(1000 * 1000) * 100)
    stored = pair.ok("--node", "archive", "blob", "put", source)
    pair.ok("--node", "archive", "blob", "get", stored["hash"], "-o", target)
    assert stored["hash"] == digest(read(source)) and read(target) == read(source)


def test_the_command_line_uses_it_and_can_do_without(t):
    pair = Pair(t)
    data = os.urandom(3 << 20)
    upload = begun(t, "--json", "blob", "put", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    upload.stdin.write(data)
    upload.stdin.flush()
    until(lambda: arriving(t) > 0, "some of it is there")
    assert streams_of(t) == 1
    out, _ = upload.communicate()
    hash = json.loads(out)["hash"]
    assert hash == digest(data)

    read_end, write_end = os.pipe()
    download = begun(t, "blob", "get", hash, stdout=write_end)
    os.close(write_end)
    until(lambda: streams_of(t) == 1, "it comes by a stream")
    with os.fdopen(read_end, "rb") as pipe:
        assert pipe.read() == data and download.wait() == 0

    promised = [way_in(t, begin(t)) for _ in range(STREAMS)]
    fails_with("BUSY", way_in, t, begin(t))
    source, target = write(os.path.join(t.top, "source"), os.urandom(1 << 20)), os.path.join(t.top, "target")
    stored = pair.ok("blob", "put", source)  # in pieces
    pair.ok("blob", "get", stored["hash"], "-o", target)
    assert read(target) == read(source)
    refused(connect(dict(promised[0], ticket="0" * 64)), "REFUSED")
    for way in promised:
        assert last_word(connect(way)) == {"size": 0}
    assert stream_in(t, data) == hash  # there is room again

    os.unlink(t.path("run", "sparse.file.sock"))
    stored = pair.ok("blob", "put", write(source, b"another"))
    assert pair.ok("blob", "get", stored["hash"], "-o", target + "2") and read(target + "2") == b"another"


def test_a_ticket_is_for_one_file_once(t):
    Pair(t)
    data = os.urandom(3 << 20)  # more than a socket holds
    hash = stream_in(t, data)
    way = way_out(t, hash)
    for wrong in (way["ticket"][::-1], way["ticket"].upper() + " ", "x" * 64):
        stream = connect(dict(way, ticket=wrong[:64]))
        stream.sendall(bytes(1 << 20))  # which it takes, so that who hears only after having said all does hear
        refused(stream, "REFUSED")
    short = socket.socket(socket.AF_UNIX)
    short.connect(way["socket"])
    short.sendall(way["ticket"][:63].encode())
    refused(short, "BAD-INPUT")
    assert rest(connect(way)).endswith(data)
    refused(connect(way), "REFUSED")

    assert last_word(connect(way_in(t, begin(t)))) == {"size": 0}  # it is none for a file that is there
    stream = connect(way_out(t, hash))
    stream.sendall(b"bytes that nobody asked for")
    with stream.makefile("rb") as words:
        assert json.loads(words.readline()) == {"size": len(data)} and words.read(len(data)) == data and arriving(t) == 0
    stream.close()
    for wrong in ({}, {"blob": begin(t), "hash": hash}):
        fails_with("BAD-PARAMS", t.call, "blob.stream", **wrong)
    fails_with("NOT-FOUND", way_in, t, "nothing")
    fails_with("NOT-FOUND", way_out, t, "0" * 64)


def test_pieces_and_streams_make_one_file(t):
    Pair(t)
    blob = begin(t)
    piece = lambda offset, text: t.call("blob.chunk", blob=blob, offset=offset, data=base64.b64encode(text).decode())
    piece(0, b"one ")
    way = way_in(t, blob)
    assert way["size"] == 4
    stream = connect(way)
    stream.sendall(bytes(1 << 20))
    until(lambda: arriving(t) > 0, "some of it is there")
    fails_with("BUSY", piece, 4, b"two ")
    fails_with("BUSY", t.call, "blob.commit", blob=blob)
    fails_with("BUSY", way_in, t, blob)
    assert last_word(stream) == {"size": 4 + (1 << 20)}
    piece(4 + (1 << 20), b" three")
    assert t.call("blob.commit", blob=blob)["hash"] == digest(b"one " + bytes(1 << 20) + b" three")


def test_what_breaks_off_leaves_nothing(t):
    pair = Pair(t)
    blob = begin(t)
    stream = connect(way_in(t, blob))
    stream.sendall(bytes(3 << 20))
    until(lambda: arriving(t) == 3 << 20, "it is there")
    stream.close()
    until(lambda: arriving(t) == 0, "its bytes are free")
    fails_with("NOT-FOUND", t.call, "blob.commit", blob=blob)

    blob = begin(t)
    stream = connect(way_in(t, blob))
    stream.sendall(bytes(3 << 20))
    until(lambda: arriving(t) == 3 << 20, "it is there")
    assert t.call("blob.abort", blob=blob) == {}
    assert rest(stream) == b""
    until(lambda: arriving(t) == 0, "its bytes are free")

    hash = stream_in(t, os.urandom(20 << 20))
    stream = connect(way_out(t, hash))
    stream.recv(1000)
    stream.close()
    until(lambda: streams_of(t) == 0, "the stream is over")

    target = os.path.join(t.top, "out", "target")
    os.mkdir(os.path.dirname(target))
    node = t.call("status")["sparse"]["pid"]
    blob = begin(t)
    stream = connect(way_in(t, blob))
    stream.sendall(bytes(3 << 20))
    until(lambda: arriving(t) == 3 << 20, "it is there")
    os.kill(node, signal.SIGKILL)
    assert rest_or_reset(stream) == b""
    until(lambda: t.call("status")["sparse"]["state"] == "running", "it is there again")
    assert arriving(t) == 0
    pair.ok("--node", "sparse", "blob", "get", hash, "-o", target)
    assert digest(read(target)) == hash


def rest_or_reset(stream):
    try:
        return rest(stream)
    except ConnectionResetError:
        return b""


def test_nobody_waits_for_a_slow_one(t):
    pair = Pair(t)
    data = os.urandom(20 << 20)
    hash = stream_in(t, data)
    silent = []
    for _ in range(40):
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(t.path("run", "sparse.file.sock"))
        silent.append(stream)
    slow_out = connect(way_out(t, hash))
    slow_in = connect(way_in(t, begin(t)))
    slow_in.sendall(b"the beginning")
    assert stream_out(t, hash) == data and stream_in(t, data) == hash
    pair.ok("--node", "sparse", "chat", "send", "--to", pair.archive, "hello", "--attach",
            write(os.path.join(t.top, "file"), data))
    assert rest(slow_out).endswith(data)
    assert last_word(slow_in) == {"size": 13}
    for stream in silent:
        stream.close()
    until(lambda: streams_of(t) == 0, "all are gone")


def test_a_crowd_of_silent_ones_turns_nobody_away(t):
    Pair(t)
    data = os.urandom(1000)
    hash = stream_in(t, data)
    way = way_out(t, hash)
    node = t.call("status")["sparse"]["pid"]
    os.kill(node, signal.SIGSTOP)  # so that it finds all of them at once
    try:
        silent = [socket.socket(socket.AF_UNIX) for _ in range(40)]
        for stream in silent:
            stream.connect(way["socket"])
        late = connect(way)
    finally:
        os.kill(node, signal.SIGCONT)
    assert rest(late).endswith(data)
    for stream in silent:
        stream.close()
    until(lambda: streams_of(t) == 0, "all are gone")


def test_who_says_too_much_hears_all_the_same(t):
    Pair(t)
    data = os.urandom(1000)
    way = way_out(t, stream_in(t, data))
    stream = connect({**way, "ticket": way["ticket"] + "\nand more"})
    until(lambda: streams_of(t) == 0, "the node has closed it")
    assert rest(stream).endswith(data)


class Between:
    """A supervisor for the command line: the real one, but that it answers blob.stream by itself. called: methods."""

    def __init__(self, t, answer):
        self.real, self.answer, self.called = t.path("run", "control.sock"), answer, []
        folder = os.path.join(t.top, f"between {id(self)}")
        os.makedirs(os.path.join(folder, "run"))
        self.environment = {**t.environment, "TANDEM_STATE_DIR": folder}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(folder, "run", "control.sock"))
        self.listener.listen()
        with open(os.path.join(folder, "run", "control.json"), "w", encoding="ascii") as file:
            json.dump({"control": "ipc://" + self.listener.getsockname()}, file)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, supervisor = self.listener.accept()[0], socket.socket(socket.AF_UNIX)
            supervisor.connect(self.real)
            threading.Thread(target=self.carry, args=(supervisor, client, lambda message: False), daemon=True).start()
            threading.Thread(target=self.carry, args=(client, supervisor, lambda m, c=client: self.asks(m, c)),
                             daemon=True).start()

    def asks(self, message, client):
        """Whether it was answered here. In front of what is asked stand words, the last with its highest bit set."""
        request = json.loads(message[message.index(b"{"):])
        self.called.append(request["method"])
        if request["method"] != "blob.stream":
            return False
        answer = message[:message.index(b"{")] + json.dumps({"jsonrpc": "2.0", "id": request["id"], **self.answer}).encode()
        client.sendall(b"\1" + struct.pack(">Q", len(answer)) + answer)
        return True

    @staticmethod
    def carry(source, target, answered):
        with source.makefile("rb") as stream:
            target.sendall(stream.read(8))  # the greeting
            while head := stream.read(9):
                message = stream.read(struct.unpack(">Q", head[1:])[0])
                if not answered(message):
                    target.sendall(head + message)
        target.shutdown(socket.SHUT_WR)

    def tandem(self, *words):
        done = subprocess.run([os.path.join(BIN, "tandem"), "--json", *words], env=self.environment, capture_output=True,
                              text=True)
        return done.returncode, json.loads(done.stdout or done.stderr)


def test_pieces_are_for_who_cannot_stream_only(t):
    Pair(t)
    data = os.urandom(1 << 20)
    source, target = write(os.path.join(t.top, "source"), data), os.path.join(t.top, "target")
    no = lambda code: {"error": {"code": -32000, "message": "no", "data": {"code": code, "hint": ""}}}
    nowhere = {"result": {"socket": os.path.join(t.top, "nowhere"), "ticket": "0" * 64}}
    for answer in (no("UNKNOWN-METHOD"), no("BUSY"), no("CLOSED"), nowhere):
        between = Between(t, answer)
        status, stored = between.tandem("blob", "put", source)
        assert status == 0 and stored["hash"] == digest(data) and "blob.chunk" in between.called, (answer, stored)
        status, got = between.tandem("blob", "get", digest(data), "-o", target)
        assert status == 0 and read(target) == data and "blob.read" in between.called, (answer, got)
        os.remove(target)
    between = Between(t, no("NOT-FOUND"))
    for command in ("put", source), ("get", digest(data), "-o", target):
        status, told = between.tandem("blob", *command)
        assert status != 0 and told["error"]["code"] == "NOT-FOUND", told
    assert "blob.chunk" not in between.called and "blob.read" not in between.called, between.called


def damage(t, data):
    """Stores it, and changes a bit of what the sparse node has."""
    hash = stream_in(t, data)
    with open(t.path("sparse", "store", "objects", hash[:2], hash), "r+b") as file:
        file.seek(1 << 20)
        file.write(bytes([data[1 << 20] ^ 1]))
    return hash


def test_a_damaged_file_does_not_come_out(t):
    pair = Pair(t)
    data, target = os.urandom(3 << 20), os.path.join(t.top, "out", "target")
    os.mkdir(os.path.dirname(target))
    hash = damage(t, data)
    line, _, came = rest(connect(t.call("blob.stream", node="sparse", hash=hash))).partition(b"\n")
    assert json.loads(line) == {"size": len(data)} and len(came) < len(data)
    hash = damage(t, data[1:] + data[:1])
    status, result = pair.cli("--node", "sparse", "blob", "get", hash, "-o", target)
    assert status == 1 and result["error"]["code"] in ("OBJECT-DAMAGED", "CLOSED"), result  # the archive may have mended it
    assert below(os.path.dirname(target)) == {}


def test_a_full_disk_is_told_and_nothing_is_left(t):
    pair = Pair(t)
    node = t.call("status")["sparse"]["pid"]
    limits = resource.prlimit(node, resource.RLIMIT_FSIZE, (2 << 20, resource.RLIM_INFINITY))
    blob = begin(t)
    stream = connect(way_in(t, blob))
    stream.sendall(bytes(8 << 20))
    in_stream = last_word(stream)["error"]["data"]["code"]
    assert arriving(t) == 0
    fails_with("NOT-FOUND", t.call, "blob.commit", blob=blob)
    blob = begin(t)
    for offset in range(0, 2 << 20, 1 << 19):
        t.call("blob.chunk", blob=blob, offset=offset, data=base64.b64encode(bytes(1 << 19)).decode())
    fails_with(in_stream, t.call, "blob.chunk", blob=blob, offset=2 << 20, data="AAAA")
    pair.fails(in_stream, 1, "--node", "sparse", "blob", "put", write(os.path.join(t.top, "big"), bytes(8 << 20)))
    assert arriving(t) == 0
    resource.prlimit(node, resource.RLIMIT_FSIZE, limits)
    pair.ok("--node", "sparse", "blob", "put", os.path.join(t.top, "big"))


def test_another_user_is_not_heard(t):
    pair = Pair(t)
    path, hash = t.path("run", "sparse.file.sock"), stream_in(t, b"mine")
    assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600
    if os.geteuid() != 0:
        return  # nobody else to be
    for folder in (t.top, t.dir, os.path.dirname(path)):
        os.chmod(folder, 0o755)
    os.chmod(path, 0o666)  # as if the folders were open
    way = way_out(t, hash)
    child = os.fork()
    if child == 0:
        os.setresuid(65534, 65534, 65534)
        try:
            os._exit(0 if rest_or_reset(connect(way)) == b"" else 1)
        except BrokenPipeError:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert rest(connect(way)).endswith(b"mine")


if __name__ == "__main__":
    main(globals())
