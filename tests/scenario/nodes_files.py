"""Files that go in and out: what breaks off leaves nothing behind, and a terminal is told how far it is."""
import os
import pty
import signal
import subprocess
import time

from control import BIN, Installation, RpcError, main, until
from nodes import Pair, read, write


def below(folder):
    """All files there, with their sizes."""
    found = {}
    for top, _, names in os.walk(folder):
        for name in names:
            try:
                found[os.path.join(top, name)] = os.path.getsize(os.path.join(top, name))
            except FileNotFoundError:
                pass  # removed meanwhile
    return found


def begun(t, *arguments, **options):
    return subprocess.Popen([os.path.join(BIN, "tandem"), *arguments], env=t.environment, **options)


def arriving(t, node="sparse"):
    """Bytes of files that are not whole yet."""
    return sum(below(t.path(node, "store", "tmp")).values())


def test_an_upload_that_breaks_off_is_freed_at_once(t):
    pair = Pair(t)
    for end in (signal.SIGKILL, signal.SIGINT):
        upload = begun(t, "blob", "put", "-", stdin=subprocess.PIPE)
        upload.stdin.write(bytes(3 << 20))
        upload.stdin.flush()
        until(lambda: arriving(t) > 1 << 20, "some of it is there")
        upload.send_signal(end)
        upload.wait()
        upload.stdin.close()
        until(lambda: arriving(t) == 0, "its bytes are free")

    client = t.client()
    blob = client.call("blob.begin")["blob"]
    client.call("blob.chunk", blob=blob, offset=0, data="eHh4" * 100000)
    client.close()  # it is not tied: the next piece may come on another connection
    assert t.call("blob.chunk", blob=blob, offset=300000, data="eHh4")["size"] == 300003
    assert arriving(t) == 300003
    assert t.call("blob.abort", blob=blob) == {}
    assert arriving(t) == 0
    try:
        t.call("blob.commit", blob=blob)
        raise AssertionError("there is nothing to be committed")
    except RpcError as error:
        assert error.code == "NOT-FOUND"
    pair.ok("blob", "put", write(os.path.join(t.top, "small"), b"x"))


def breaks_off(t, hash, target):
    """Ends a download when its first bytes are there; False: it was faster."""
    folder = os.path.dirname(target)
    download = begun(t, "blob", "get", hash, "-o", target)
    until(lambda: below(folder) or download.poll() is not None, "the first bytes")
    download.send_signal(signal.SIGTERM)
    download.wait()
    if os.path.exists(target):
        os.remove(target)
        return False
    assert download.returncode == -signal.SIGTERM and below(folder) == {}
    return True


def test_a_file_comes_out_whole_or_not_at_all(t):
    pair = Pair(t)
    content = os.urandom(1 << 20) * 40
    source, target = write(os.path.join(t.top, "source"), content), os.path.join(t.top, "out", "target")
    os.mkdir(os.path.dirname(target))
    stored = pair.ok("blob", "put", source)
    until(lambda: breaks_off(t, stored["hash"], target), "one breaks off in the middle")
    pair.ok("blob", "get", stored["hash"], "-o", target)
    assert read(target) == content and list(below(os.path.dirname(target))) == [target]
    pair.fails("EXISTS", 1, "blob", "get", stored["hash"], "-o", target)


def told_of(t, source):
    """What a terminal is told of an upload whose node stands still for a while; nothing: it was faster."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in t.environment.items() if name != "NO_COLOR"}
    upload = subprocess.Popen([os.path.join(BIN, "tandem"), "blob", "put", source], env=environment, stderr=theirs,
                              stdout=subprocess.DEVNULL)
    os.close(theirs)
    until(lambda: arriving(t) > 0 or upload.poll() is not None, "some of it is there")
    node = t.call("status")["sparse"]["pid"]
    os.kill(node, signal.SIGSTOP)
    time.sleep(0.6)  # what is over sooner says nothing
    os.kill(node, signal.SIGCONT)
    said = b""
    while True:
        try:
            said += os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    assert upload.wait() == 0
    return said


def test_a_terminal_is_told_how_far_it_is(t):
    Pair(t)
    source = write(os.path.join(t.top, "source"), os.urandom(1 << 20) * 40)
    said = until(lambda: told_of(t, source), "it was told in the middle")
    assert b" of 41.9 MB, " in said and b" left, " in said and b"B/s" in said, said
    assert said.endswith(b"\r\x1b[K")  # and the line is gone in the end


def test_an_export_goes_with_who_asked_for_it(t):
    pair = Pair(t)
    for tied in (True, False):
        client = t.client()
        job = client.call("onedb.export", name="mine", secret="secret", node="archive", tied=tied)["jobId"]
        until(lambda: client.call("job.wait", jobId=job, node="archive", waitMs=5000)["done"], "it is written")
        assert below(t.path("archive", "export", "mine"))
        client.close()
        if tied:
            until(lambda: not os.path.exists(t.path("archive", "export", "mine")), "nobody wants it any more")
    assert below(t.path("archive", "export", "mine"))  # somebody else may come for it
    t.call("job.cancel", jobId=job, node="archive")
    until(lambda: not os.path.exists(t.path("archive", "export", "mine")), "it was given up")
    pair.ok("--node", "archive", "export", "--one-db", os.path.join(t.top, "out"), stdin="secret\n")
    assert below(os.path.join(t.top, "out")) and not below(t.path("archive", "export"))


def test_an_interrupted_import_leaves_no_keys(t):
    second = Installation()
    try:
        pair = Pair(t)
        exported = os.path.join(t.top, "exported")
        pair.ok("--node", "archive", "export", "--one-db", exported, stdin="secret\n")
        private = next(path for path in below(exported) if "/private/" in path)
        for i in range(200):  # so that there is something to be interrupted
            write(os.path.join(os.path.dirname(os.path.dirname(private)), "acache", str(i)), bytes(1 << 20))
        second.up("--listen", "localhost:0")
        taking = begun(second, "import", "--one-db", exported, stdin=subprocess.PIPE)
        until(lambda: below(second.path("archive", "import")), "the copy has begun")
        taking.send_signal(signal.SIGINT)
        assert taking.wait() == -signal.SIGINT
        taking.stdin.close()
        until(lambda: not below(second.path("archive", "import")), "the copy is gone")

        os.makedirs(second.path("sparse", "export", "left"))  # by one that was killed
        write(second.path("sparse", "export", "left", "key"), b"key")
        assert second.stop() == 0
        second.up("--listen", "localhost:0")
        assert not os.path.exists(second.path("sparse", "export", "left"))
        assert second.stop() == 0
    finally:
        second.clean()


def test_texts_and_names_come_out_as_they_went_in(t):
    pair = Pair(t)
    pair.send("sparse", "two\nlines\r\nand\ta tab")
    status, out, _ = t.cli("--json", "--node", "sparse", "chat", "send", "--to", pair.archive, "--stdin",
                           stdin="a\rcarriage return\nthe end\r\n")
    assert status == 0 and len(out.splitlines()) == 2
    assert pair.texts("sparse") == ["two\nlines\r\nand\ta tab", "a\rcarriage return", "the end"]
    assert len(pair.messages("sparse", 1001)) == 3  # more than a page
    shown = t.cli("--node", "sparse", "chat", "list", "--with", pair.archive)[1].splitlines()
    assert shown[0].endswith(" two") and [line.strip() for line in shown[1:3]] == ["lines\\x0d", "and\\x09a tab"], shown
    assert shown[3].endswith(" a\\x0dcarriage return")

    strange = os.path.join(t.top.encode(), b"na\xffme.bin")
    write(strange, b"data")
    done = subprocess.run([os.path.join(BIN, "tandem"), "--json", "--node", "sparse", "chat", "send", "--to", pair.archive,
                           "see", "--attach", strange], env=t.environment, capture_output=True)
    assert done.returncode == 4 and b"BAD-TEXT" in done.stdout and len(pair.texts("sparse")) == 3
    exact = lambda number: pair.cli("object", "put", stdin='{"$type$":"Nothing","n":%s}' % number)[1]["error"]["message"]
    assert "2^53" in exact("9007199254740993") and "too big integer" in exact("1" * 30)
    pair.fails("TOO-BIG", 1, "--node", "sparse", "chat", "send", "--to", pair.archive, "--stdin", stdin="y" * (9 << 20) + "\n")


if __name__ == "__main__":
    main(globals())
