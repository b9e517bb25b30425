"""Kills the command line at its operations on the disk while it makes a backup, or restores one: what was there before
is as good as it was, and doing it again finishes it.

TANDEM_FAULTY names the folder of the tandem*-fault programs, TANDEM_BIN that of the others, CRASH_STEP how dense the
sample of operations is.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))

from control import Installation, SECRET, main, snapshot  # noqa: E402
from nodes import Pair, write  # noqa: E402

FAULTY = os.environ["TANDEM_FAULTY"]
STEP = int(os.environ.get("CRASH_STEP", "401"))


def faulty(t, fault, *arguments, stdin=""):
    environment = dict(t.environment, TANDEM_FAULT=fault)
    return subprocess.run([os.path.join(FAULTY, "tandem-fault"), "--json", *arguments], env=environment, input=stdin,
                          text=True, capture_output=True, timeout=60)


def verified(t, folder):
    status, result = t.cli_json("backup", "verify", folder)
    assert status == 0, result
    return result["generations"]


def begun(t):
    """A running installation with a backup of an earlier state."""
    pair = Pair(t)
    folder = os.path.join(t.top, "backup")
    status, result = t.cli_json("backup", folder)
    assert status == 0, result
    for size in (100, 100000, 400000):
        pair.ok("blob", "put", write(os.path.join(t.top, "blob"), os.urandom(size)))
    return folder


def points(step):
    """1, then further and further."""
    n = 1
    while True:
        yield n
        n += 1 + n * step // 1000


def test_a_backup_is_killed_at_its_operations(t):
    folder = begun(t)
    killed = 0
    for n in points(STEP):
        done = faulty(t, f"any:{n}:{'kill' if n % 2 else 'torn'}", "backup", folder)
        if done.returncode == 0:
            break
        assert done.returncode == -9, (n, done.returncode, done.stderr)
        killed += 1
        generations = verified(t, folder)
        assert generations >= 1, "of the last operation all may be there"
    assert killed > 5 and verified(t, folder) >= 2, (killed, n)
    status, result = t.cli_json("backup", folder)
    assert status == 0 and result["newBytes"] < 400000, result
    left = [name for _, _, names in os.walk(folder) for name in names if name.startswith("tmp-")]
    assert not left, left


def test_a_full_disk_is_said(t):
    folder = begun(t)
    met = 0
    for n in points(STEP):
        done = faulty(t, f"write:{n}+:ENOSPC", "backup", folder)
        if done.returncode == 0:
            break
        assert done.returncode == 1 and json.loads(done.stdout)["error"]["code"] == "DISK-FULL", (n, done.stdout)
        met += 1
        assert verified(t, folder) == 1
    assert met > 0
    assert verified(t, folder) == 2


def test_a_restore_is_killed_at_its_operations(t):
    folder = begun(t)
    status, result = t.cli_json("backup", folder)
    assert status == 0, result
    assert t.stop() == 0
    whole = Installation()
    status, result = whole.cli_json("restore", folder, stdin=SECRET + "\n")
    assert status == 0, result
    wanted = {os.path.relpath(path, whole.dir): data for path, data in snapshot(whole.dir).items()}
    whole.clean()
    refused = 0
    for n in points(8 * STEP):
        other = Installation()
        done = faulty(other, f"any:{n}:kill", "restore", folder, stdin=SECRET + "\n")
        if done.returncode == 0:
            break
        assert done.returncode == -9, (n, done.stderr)
        if os.path.exists(other.path("restoring")):
            status, out, err = other.cli("up", "--listen", "localhost:0")
            assert status == 1 and "RESTORE-UNFINISHED" in err, err
            refused += 1
            if refused == 2:  # another generation begins anew
                status, result = other.cli_json("restore", folder, "--generation", "1", stdin=SECRET + "\n")
                assert (status, result["generation"]) == (0, 1), result
                other.clean()
                continue
        status, result = other.cli_json("restore", folder, stdin=SECRET + "\n")
        assert status == 0, (n, result)
        found = {os.path.relpath(path, other.dir): data for path, data in snapshot(other.dir).items()
                 if os.path.basename(path) != "lock" and "tmp-" not in path}
        assert {name: data for name, data in wanted.items() if os.path.basename(name) != "lock"} == found, n
        other.clean()
    assert refused > 1, refused


if __name__ == "__main__":
    main(globals())
