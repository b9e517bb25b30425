"""What a program may rely on: tandem starts, nothing outlives the program, the second one is told, a crash is mended."""
import os
import signal
import subprocess
import sys

from client_support import HERE, SECRET, gone, launch, main, processes_of, tandem, until

APP = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from client_support import launch
t = launch(sys.argv[2])
if os.fork() == 0:
    time.sleep(600)
print(t.pid, flush=True)
time.sleep(600)
"""


def refused(code, ask):
    try:
        ask()
    except tandem.TandemError as e:
        assert e.code == code, e
        return e
    raise AssertionError(f"{code} was expected")


def test_a_killed_program_leaves_nothing_behind(folder):
    """Also where a child by os.fork() lives on."""
    app = subprocess.Popen([sys.executable, "-c", APP, str(HERE), folder], stdout=subprocess.PIPE, text=True,
                           start_new_session=True)
    try:
        assert int(app.stdout.readline()) in processes_of(folder)
        assert len(processes_of(folder)) == 3
        app.send_signal(signal.SIGKILL)
        app.wait()
        gone(folder)
    finally:
        os.killpg(app.pid, signal.SIGKILL)
        app.stdout.close()


def test_the_next_one_starts_at_once(folder):
    app = subprocess.Popen([sys.executable, "-c", APP, str(HERE), folder], stdout=subprocess.PIPE, text=True,
                           start_new_session=True)
    try:
        app.stdout.readline()
        app.send_signal(signal.SIGKILL)
        app.wait()
        with launch(folder) as t:
            assert t.provisioned["created"] is False
    finally:
        os.killpg(app.pid, signal.SIGKILL)
        app.stdout.close()


def test_a_second_instance_is_told_of_the_first(folder):
    with launch(folder) as first:
        e = refused("ALREADY-RUNNING", lambda: launch(folder))
        assert e.pid == first.pid and e.hint
        with tandem.Client(folder) as second:
            assert second.call("status")["supervisor"]["pid"] == first.pid


def test_a_wrong_secret_is_refused(folder):
    launch(folder).close()
    e = refused("BAD-SECRET", lambda: launch(folder, secret="another"))
    assert isinstance(e, tandem.RefusedError)
    gone(folder)


def test_the_secret_is_in_no_arguments_and_no_environment(folder):
    with launch(folder):
        processes = processes_of(folder)
        assert len(processes) == 3
        assert not any(SECRET in text for text in processes.values())


def test_after_a_crash_it_comes_back(folder):
    asked, states = [], []

    def secret():
        asked.append(1)
        return SECRET

    with launch(folder, secret=secret, on_state=lambda state, error: states.append(state)) as t:
        before = t.pid
        os.kill(before, signal.SIGKILL)
        until("a restart", lambda: states == ["running", "restarting", "running"])
        assert t.pid != before and len(asked) == 2
        assert t.call("status")["archive"]["state"] == "running"


def test_who_stops_it_means_it(folder):
    with launch(folder) as t:
        t.call("down")
        until("the end", lambda: t.state == "stopped")
        refused("NOT-RUNNING", lambda: t.call("chat.list", with_="me"))


main(globals())
