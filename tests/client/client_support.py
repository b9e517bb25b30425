"""A folder for an installation, what runs for it, and the runner of these tests."""
import os
import pathlib
import shutil
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = HERE.parents[1] / "ipc/clients/python"
SECRET = "correct horse battery"
PATIENCE_S = 60

sys.path.insert(0, str(PACKAGE))
import tandem  # noqa: E402


def until(what, ask):
    end = time.monotonic() + PATIENCE_S
    while not (found := ask()):
        assert time.monotonic() < end, f"it never came: {what}"
        time.sleep(0.02)
    return found


def text_of(pid, name):
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_text("latin1")
    except OSError:
        return ""


def processes_of(folder):
    """{pid: arguments and environment} of tandem's processes for a folder."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        arguments = text_of(pid, "cmdline")
        text = arguments + text_of(pid, "environ")
        if "/tandem-" in arguments.split("\0")[0] and str(folder) in text:
            found[int(pid)] = text
    return found


def gone(folder):
    until("an end of all processes", lambda: not processes_of(folder))


def launch(folder, **more):
    return tandem.launch(**{"state_dir": folder, "user": "anna", "secret": SECRET, "args": ["--listen", "localhost:0"],
                            **more})


def run_in_folder(test):
    top = tempfile.mkdtemp(prefix="tandem-client-")
    folder = os.path.join(top, "state")
    try:
        test(folder)
        gone(folder)
    finally:
        shutil.rmtree(top, ignore_errors=True)


def main(tests):
    """Runs the test_… of a module, or those that are named."""
    names = sys.argv[1:] or [name for name in tests if name.startswith("test_")]
    failed = 0
    for name in names:
        try:
            run_in_folder(tests[name])
            print(f"ok   {name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)
    sys.exit(failed > 0)
