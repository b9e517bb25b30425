"""Calls, events and files, also while the supervisor is killed."""
import io
import os
import signal
import threading

from client_support import launch, main, tandem, until

BLOB_SIZE = 5 * 1000 * 1000


def texts_of(t):
    page = t.call("chat.list", with_=t.provisioned["sparse"]["personId"], node="archive", limit=1000)
    return [item["text"] for item in page["items"]]


def say(t, text):
    return t.call("chat.send", to=t.provisioned["archive"]["personId"], text=text, node="sparse")


def test_both_nodes_say_something_to_the_other(folder):
    with launch(folder) as t:
        after = t.position()
        say(t, "from the sparse node")
        t.call("chat.send", to=t.provisioned["sparse"]["personId"], text="from the archive", node="archive")
        heard = set()
        for event in t.follow(after=after, type="chat.received"):
            heard.add(event["node"])
            if len(heard) == 2:
                break
        assert sorted(texts_of(t)) == ["from the archive", "from the sparse node"]


def test_events_go_on_across_kill_9_of_the_supervisor(folder):
    with launch(folder) as t:
        events = t.follow(after=t.position())
        ids = [say(t, "before")["id"]]
        heard, boots = [], set()
        for event in events:
            assert event["event"] != "stream.gap"
            boots.add(event["position"]["bootId"])
            if (event["event"], event["node"]) != ("chat.received", "archive"):
                continue
            heard.append(event["data"]["id"])
            if len(heard) == 2:
                break
            os.kill(t.pid, signal.SIGKILL)
            ids.append(say(t, "after")["id"])
        assert heard == ids and len(boots) == 2
        assert texts_of(t) == ["before", "after"]


def test_what_a_crash_cuts_off_is_done_once(folder):
    with launch(folder) as t:
        texts, ids, first = [f"message {n}" for n in range(24)], [], threading.Event()

        def one(text):
            ids.append(say(t, text)["id"])
            first.set()

        threads = [threading.Thread(target=one, args=(text,)) for text in texts]
        for thread in threads:
            thread.start()
        first.wait()
        os.kill(t.pid, signal.SIGKILL)
        for thread in threads:
            thread.join()
        assert len(set(ids)) == len(texts)
        until("all at the archive", lambda: len(texts_of(t)) >= len(texts))
        assert sorted(texts_of(t)) == sorted(texts)


def test_a_file_of_5_mb_comes_back_as_it_was(folder):
    with launch(folder) as t:
        data = os.urandom(BLOB_SIZE)
        kept = t.put_blob(io.BytesIO(data))
        assert kept["size"] == BLOB_SIZE and kept == t.put_blob(data)
        assert b"".join(t.get_blob(kept["hash"])) == data


def test_files_go_in_pieces_only_where_there_is_no_stream(folder):
    with launch(folder) as t:
        data, called, call = os.urandom(BLOB_SIZE // 4), [], t.call

        def answers(stream):
            def answer(method, *params, **more):
                called.append(method)
                return stream() if method == "blob.stream" else call(method, *params, **more)
            return answer

        def fails(code):
            def fail():
                raise tandem.TandemError(code, "no")
            return fail

        nowhere = {"socket": os.path.join(folder, "nowhere"), "ticket": "0" * 64}
        for stream in fails("UNKNOWN-METHOD"), fails("BUSY"), fails("CLOSED"), lambda: nowhere:
            called.clear()
            t.call = answers(stream)
            kept = t.put_blob(io.BytesIO(data))
            assert kept["size"] == len(data) and "blob.chunk" in called, called
            assert b"".join(t.get_blob(kept["hash"])) == data and "blob.read" in called, called
        called.clear()
        t.call = answers(fails("NOT-FOUND"))
        for work in (lambda: t.put_blob(data)), (lambda: b"".join(t.get_blob(kept["hash"]))):
            try:
                work()
            except tandem.TandemError as e:
                assert e.code == "NOT-FOUND", e.code
            else:
                raise AssertionError("NOT-FOUND was expected")
        assert "blob.chunk" not in called and "blob.read" not in called, called


def test_errors_have_a_class_a_code_and_a_hint(folder):
    cases = [(tandem.NotRunningError, "NOT-RUNNING", lambda c: c.call("status"))]
    with tandem.Client(folder) as client:
        check(client, cases)
    with launch(folder) as t:
        check(t, [(tandem.UsageError, "BAD-PARAMS", lambda c: c.call("chat.send", text="to nobody")),
                  (tandem.UsageError, "UNKNOWN-METHOD", lambda c: c.call("no.such")),
                  (tandem.TimedOutError, "TIMEOUT",
                   lambda c: c.call("events.since", {**c.position(), "type": "job", "waitMs": 30000}, timeout=0.2))])


def check(client, cases):
    for kind, code, ask in cases:
        try:
            ask(client)
        except kind as e:
            assert e.code == code and e.hint and e.number == tandem.ERRORS[code][0], vars(e)
        else:
            raise AssertionError(f"{code} was expected")


def test_close_ends_what_waits(folder):
    heard = []
    with launch(folder) as t:
        thread = threading.Thread(target=lambda: heard.extend(t.follow(type="job")))
        thread.start()
        until("a waiting call", lambda: t.busy)
    thread.join()
    assert heard == []


main(globals())
