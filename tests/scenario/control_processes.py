"""The node processes: restarted and provisioned again, given up, and never left behind."""
import json
import os
import resource
import shutil
import signal
import subprocess
import time

from control import BIN, FAKE_NODE, fails_with, is_alive, main, until, within


def state(t, node):
    return t.call("status")[node]


def test_a_killed_node_is_restarted_and_provisioned_again(t):
    t.up()
    t.provision()
    for node in ("archive", "sparse"):
        before = state(t, node)
        os.kill(before["pid"], signal.SIGKILL)
        after = until(lambda: (lambda s: s if s["state"] == "running" and s["pid"] != before["pid"] else None)(
            state(t, node)), f"{node} runs again")
        assert after["restarts"] == 1 and after["personId"] == before["personId"]
    t.call("wait", **{"for": "federated"})
    t.call("chat.send", to="01234567", text="still here")


def test_a_node_that_dies_too_often_is_given_up_and_can_be_restarted(t):
    t.up(TANDEM_RESTART_DEATHS="3", TANDEM_RESTART_BACKOFF_MIN_MS="10")
    t.provision()
    for _ in range(3):
        before = until(lambda: (lambda s: s if s["state"] == "running" else None)(state(t, "sparse")), "it runs")
        os.kill(before["pid"], signal.SIGKILL)
        until(lambda: state(t, "sparse")["pid"] != before["pid"], "its end is noticed")
    until(lambda: state(t, "sparse")["state"] == "failed", "the node is given up")
    fails_with("NODE-DOWN", t.call, "contacts.list")
    assert state(t, "archive")["state"] == "running"
    t.call("restart", node="sparse")
    assert state(t, "sparse")["state"] == "running"


def test_a_node_that_hangs_is_killed_and_restarted(t):
    t.up(TANDEM_HEARTBEAT_INTERVAL_S="1", TANDEM_HEARTBEAT_SILENCE_S="2")
    t.provision()
    before = state(t, "sparse")
    os.kill(before["pid"], signal.SIGSTOP)
    until(lambda: (lambda s: s["state"] == "running" and s["pid"] != before["pid"])(state(t, "sparse")), "it runs again")
    reasons = [event["data"].get("reason") for event in t.call("events.since")["events"] if event["event"] == "node.died"]
    assert reasons == ["did not answer any more"]


def test_the_silence_of_a_sleeping_machine_does_not_count(t):
    t.up(TANDEM_HEARTBEAT_INTERVAL_S="1", TANDEM_HEARTBEAT_SILENCE_S="2")
    t.provision()
    nodes = [state(t, node)["pid"] for node in ("archive", "sparse")]
    asleep = [t.process.pid, *nodes]
    for pid in asleep:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(4)
    for pid in asleep:  # the supervisor first: it looks before the nodes could answer
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.1)
    mark = t.call("events.since")["next"]
    time.sleep(3)
    assert [state(t, node)["pid"] for node in ("archive", "sparse")] == nodes, t.call("events.since", seq=mark)


def test_nodes_end_with_a_killed_supervisor(t):
    t.up()
    t.provision()
    pids = [state(t, "archive")["pid"], state(t, "sparse")["pid"]]
    os.kill(t.process.pid, signal.SIGKILL)
    t.wait_exit()
    until(lambda: not any(is_alive(pid) for pid in pids), "both nodes are gone")
    # What it left behind (sockets, lock, control.json) is no obstacle.
    assert t.cli("status")[0] == 3
    t.up()
    assert t.provision()["created"] is False


def test_sigterm_stops_everything_within_two_seconds(t):
    t.up()
    t.provision()
    pids = [state(t, "archive")["pid"], state(t, "sparse")["pid"]]
    os.kill(state(t, "sparse")["pid"], signal.SIGSTOP)  # even when one does not answer
    began = time.monotonic()
    assert t.stop() == 0
    assert time.monotonic() - began < within(2)
    assert not any(is_alive(pid) for pid in pids)
    assert os.listdir(t.path("run")) == []


def test_status_does_not_wait_for_a_node_that_does_not_answer(t):
    t.up()
    t.provision()
    pid = state(t, "sparse")["pid"]
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    status = t.call("status")
    assert time.monotonic() - began < within(2)
    assert status["archive"]["state"] == "running" and status["sparse"]["pid"] == pid
    os.kill(pid, signal.SIGCONT)


def test_a_node_that_does_not_answer_is_named_at_once(t):
    t.up()
    t.provision()
    for node, asks in (("sparse", (["contacts"], ["chat", "send", "--to", "01234567", "hi"])), ("archive", (["invite"],))):
        pid = state(t, node)["pid"]
        os.kill(pid, signal.SIGSTOP)
        for words in asks:
            began = time.monotonic()
            status, answer = t.cli_json(*words)
            assert status == 1 and time.monotonic() - began < within(3), (words, status, answer)
            error = answer["error"]
            assert error["code"] == "NODE-DOWN" and f"the {node} node: it does not answer" in error["message"], error
            assert "tandem restart" in error["hint"], error
        silent = {"state": "failing", "reason": f"the {node} node does not answer"}
        parts = ("webSocketServer", "browserConnection") if node == "archive" else ()
        until(lambda: all(t.call("status")["components"][part] == silent for part in parts), "the board says so")
        os.kill(pid, signal.SIGCONT)
        until(lambda: t.call("status")[node]["failure"] is None, "it answers again")
        assert t.call("contacts.list") is not None
    assert t.call("chat.list", **{"with": "01234567"})["items"] == []  # it was not begun later


def test_a_second_signal_kills(t):
    t.up()
    os.kill(state(t, "archive")["pid"], signal.SIGSTOP)
    t.process.send_signal(signal.SIGTERM)
    until(lambda: "supervisor.stopping" in read(t.path("log", "supervisor.log")), "the first signal is taken")
    began = time.monotonic()
    t.process.send_signal(signal.SIGTERM)
    assert t.wait_exit() == 0
    assert time.monotonic() - began < within(1)


def test_down_answers_and_stops(t):
    t.up()
    answer = t.cli_json("down")
    assert answer == (0, {}), answer
    assert t.wait_exit() == 0
    assert t.cli_json("status")[0] == 3


def test_the_end_of_stdin_stops_it(t):
    t.up()
    t.process.stdin.close()
    assert t.process.wait(5) == 0


def test_a_second_supervisor_is_refused(t):
    t.up()
    status, out, _ = t.cli("up", "--json")
    error = json.loads(out)["error"]
    assert status == 1 and error["code"] == "ALREADY-RUNNING" and str(t.process.pid) in error["message"]
    assert t.call("status")["supervisor"]["pid"] == t.process.pid


def test_a_node_program_that_does_not_start_ends_up_with_its_name(t):
    t.environment.update(TANDEM_RESTART_DEATHS="2", TANDEM_RESTART_BACKOFF_MIN_MS="5")
    for program, reason in (("/nonexistent/node", "no such file"), ("/bin/false", "status 1")):
        t.spawn("--sparse-binary", program)
        error = json.loads(t.process.stdout.readline())["error"]
        assert error["code"] == "NODE-DOWN" and "sparse" in error["message"] and reason in error["message"], error
        assert t.wait_exit() == 1


def test_sighup_reopens_the_logs_and_reads_the_settings(t):
    t.up()
    os.rename(t.path("log", "supervisor.log"), t.path("log", "moved"))
    with open(t.path("tandem.conf"), "w") as file:
        file.write("[restart]\ndeaths = 1\n")
    t.process.send_signal(signal.SIGHUP)
    until(lambda: "config.reloaded" in read(t.path("log", "supervisor.log")), "a new log")
    os.kill(state(t, "sparse")["pid"], signal.SIGKILL)
    until(lambda: state(t, "sparse")["state"] == "failed", "one death is enough now")
    with open(t.path("tandem.conf"), "w") as file:
        file.write("[restart]\ndeths = 9\n")
    t.process.send_signal(signal.SIGHUP)
    until(lambda: "line 2" in read(t.path("log", "supervisor.log")), "the mistake is named")
    assert read(t.path("log", "supervisor.log")).count("config.reloaded") == 1, "refused settings are no new ones"
    assert t.call("status")["supervisor"]["pid"] == t.process.pid


def test_what_cannot_be_written_is_said_on_standard_error(t):
    said = os.path.join(t.top, "said")
    with open("/dev/full", "w") as full, open(said, "w") as errors:
        t.process = subprocess.Popen([os.path.join(BIN, "tandem"), "up", "--archive-binary", FAKE_NODE, "--sparse-binary",
                                      FAKE_NODE], env=t.environment, stdin=subprocess.PIPE, stdout=full, stderr=errors)
    t.process.stdout = open(os.devnull)
    until(lambda: "standard output could not be written" in read(said), "nobody reads that it is ready")
    until(lambda: t.cli("status")[0] == 0, "it runs all the same")
    os.rename(t.path("log"), t.path("moved"))
    t.process.send_signal(signal.SIGHUP)
    until(lambda: read(said).count("the log goes on in its old file") == 4, "there is no folder for logs")
    assert "log.kept" in read(t.path("moved", "supervisor.log"))
    assert t.stop() == 0


def test_nodes_start_again_with_the_settings_of_a_reload(t):
    t.up()
    t.provision()
    with open(t.path("tandem.conf"), "w") as file:
        file.write(f"[log]\nlevel = debug\n[tls]\nca_file = {t.path('authorities.pem')}\n")
    t.process.send_signal(signal.SIGHUP)
    until(lambda: "config.reloaded" in read(t.path("log", "supervisor.log")), "the settings are read again")
    t.call("restart", node="sparse")
    with open(f"/proc/{state(t, 'sparse')['pid']}/cmdline") as file:
        words = file.read().split("\0")
    assert words[words.index("--log-level") + 1] == "debug", words
    assert words[words.index("--ca-file") + 1] == t.path("authorities.pem"), words


def spawn_and_look(t, script="", **options):
    """`up` behind a line of shell, until it answers."""
    program = [os.path.join(BIN, "tandem"), "up", "--archive-binary", FAKE_NODE, "--sparse-binary", FAKE_NODE]
    t.process = subprocess.Popen(["bash", "-c", script + '\nexec "$@"', "bash", *program], env=t.environment,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)
    until(lambda: t.process.poll() is not None or t.cli("wait", "ready")[0] == 0, "it answers or has ended")
    assert t.process.poll() is None, t.process.returncode
    t.socket_path = json.loads(read(t.path("run", "control.json")))["control"][len("ipc://"):]


def restarts_and_stops(t):
    before = state(t, "sparse")
    os.kill(before["pid"], signal.SIGKILL)
    until(lambda: state(t, "sparse")["restarts"] == 1, "the node's end is noticed")
    assert t.stop() == 0


def test_closed_streams_do_no_harm(t):
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        spawn_and_look(t, f"exec {closed}")
        restarts_and_stops(t)


def test_signals_that_somebody_ignored_or_blocked_do_no_harm(t):
    def all_blocked():
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    spawn_and_look(t, preexec_fn=all_blocked)
    restarts_and_stops(t)


def test_what_is_made_is_the_owners_whatever_the_umask(t):
    for mask in ("000", "777"):
        spawn_and_look(t, f"umask {mask}")
        for top, folders, files in os.walk(t.dir):
            for name in folders + files:
                mode = os.lstat(os.path.join(top, name)).st_mode
                assert mode & 0o077 == 0 and mode & 0o600 == 0o600, (name, oct(mode))
        assert t.stop() == 0
        shutil.rmtree(t.dir)


def test_a_file_that_may_not_grow_is_an_error(t):
    def no_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    done = subprocess.run([os.path.join(BIN, "tandem"), "up"], env=t.environment, capture_output=True, text=True,
                          timeout=60, preexec_fn=no_files)
    assert done.returncode == 1 and "too large" in done.stderr.lower(), (done.returncode, done.stderr)


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def test_a_slow_reader_of_stdout_is_told_what_it_missed(t):
    t.up()
    t.provision()
    client = t.client()
    client.send("object.put", object={"$type$": "Burst", "count": 5000})  # far more than a pipe holds
    client.receive()
    until(lambda: t.call("events.since", seq=1, limit=1)["events"], "the supervisor still answers")
    lines = []
    while not lines or lines[-1].get("event") != "stream.gap":
        lines.append(json.loads(t.process.stdout.readline()))
        if len(lines) % 50 == 0:
            t.call("object.put", object={"$type$": "Burst", "count": 1})
    assert lines[-1]["lost"] > 0


main(globals())
