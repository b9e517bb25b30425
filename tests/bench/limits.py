"""What this machine can do at best, measured in the same run as the works that are compared with it."""
import ctypes
import ctypes.util
import hashlib
import mmap
import os
import re
import socket
import statistics
import struct
import subprocess
import time

MB = 1_000_000
RECORD = b"x" * 300
PIECE = 64 * 1024  # of what is sealed: as files are sent
KEY, NONCE, TAG = 32, 24, 16


def seconds(function):
    began = time.monotonic()
    function()
    return time.monotonic() - began


def best(function, times=3):
    return min(seconds(function) for _ in range(times))


def percentile(values, part):
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def read_exactly(connection, size):
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


def write_durably(file, data):
    os.write(file, data)
    os.fsync(file)


def other_process(function):
    """A TCP connection to a child that runs function with its end, and the child."""
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        try:
            function(socket.create_connection(listener.getsockname()))
        finally:
            os._exit(0)
    connection, _ = listener.accept()
    listener.close()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection, child


def message_floor(folder, rounds):
    """Written here, sent, written there, answered: ms, the median and the 99th percentile."""
    def far(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        file = os.open(os.path.join(folder, "far"), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        while True:
            write_durably(file, read_exactly(connection, len(RECORD)))
            connection.sendall(b"1")

    connection, child = other_process(far)
    file = os.open(os.path.join(folder, "near"), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def message():
        write_durably(file, RECORD)
        connection.sendall(RECORD)
        read_exactly(connection, 1)

    times = [seconds(message) * 1000 for _ in range(rounds)]
    connection.close()
    os.close(file)
    os.waitpid(child, 0)
    return statistics.median(times), percentile(times, 0.99)


def records_floor(folder, count):
    """count records with their lengths, over TCP into a file, one fsync: ms."""
    def far(connection):
        with open(os.path.join(folder, "records"), "wb") as file, connection.makefile("rb") as stream:
            for _ in range(count):
                head = stream.read(4)
                file.write(head + stream.read(struct.unpack(">I", head)[0]))
            file.flush()
            os.fsync(file.fileno())
        connection.sendall(b"1")

    connection, child = other_process(far)
    record = struct.pack(">I", len(RECORD)) + RECORD

    def all_of_them():
        for _ in range(count // 100):
            connection.sendall(record * 100)
        read_exactly(connection, 1)

    took = seconds(all_of_them)
    os.waitpid(child, 0)
    connection.close()
    return took * 1000


def disk_rate(folder, size):
    """Written and made durable: MB/s."""
    data = os.urandom(MB)
    path = os.path.join(folder, "disk")

    def write():
        with open(path, "wb") as file:
            for _ in range(size):
                file.write(data)
            file.flush()
            os.fsync(file.fileno())

    took = best(write, 2)
    os.remove(path)
    return size / took


def sha256_rate(size):
    data = os.urandom(MB)
    return size / best(lambda: [hashlib.sha256(data) for _ in range(size)])


def memcpy_rate(size):
    source, target = mmap.mmap(-1, 64 * MB), mmap.mmap(-1, 64 * MB)
    source.write(os.urandom(MB) * 64)
    a, b = (ctypes.addressof(ctypes.c_char.from_buffer(m)) for m in (source, target))
    ctypes.memmove(b, a, 64 * MB)
    return size / best(lambda: [ctypes.memmove(b, a, 64 * MB) for _ in range(size // 64)]) * (size // 64 * 64 / size)


def secretbox_rate(size):
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    sodium.sodium_init()
    message, sealed = os.urandom(PIECE), ctypes.create_string_buffer(PIECE + TAG)
    nonce, key = os.urandom(NONCE), os.urandom(KEY)

    def seal():
        for _ in range(size * MB // PIECE):
            sodium.crypto_secretbox_easy(sealed, message, ctypes.c_ulonglong(PIECE), nonce, key)

    return size / best(seal)


def store_rate(bench_store):
    """Objects of 300 bytes into one store, hashed, indexed and granted, 1,000 in a commit: objects/s."""
    shown = subprocess.run([bench_store, "--smoke"], capture_output=True, text=True, check=True).stdout
    return float(re.search(r"objects stored in batches of 1,000 \S+ \S+\s+([\d.]+)", shown)[1])


def measure(folder, bench_store, smoke):
    size = 32 if smoke else 256
    return {
        "recordsMs": min(records_floor(folder, 10_000) for _ in range(3)),
        "diskMBps": disk_rate(folder, size // 4), "sha256MBps": sha256_rate(size), "memcpyMBps": memcpy_rate(size * 4),
        "secretboxMBps": secretbox_rate(size), "storeObjectsPerS": store_rate(bench_store),
    }
