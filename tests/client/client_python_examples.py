"""The examples do what they say."""
import os
import pathlib
import subprocess
import sys

from client_support import PACKAGE, gone, launch, main


def run(example, *args):
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    return subprocess.run([sys.executable, PACKAGE / "examples" / example, *args], env=environment, check=True,
                          capture_output=True, text=True).stdout


def test_ci_launches_chats_and_stops(folder):
    assert run("ci.py", folder) == "chat.received Hello!\n"
    gone(folder)


def test_files_keeps_a_file_and_gives_it_back(folder):
    source, copy = pathlib.Path(f"{folder}.file"), pathlib.Path(f"{folder}.copy")
    source.write_bytes(os.urandom(1500000))
    with launch(folder):
        assert run("files.py", folder, source, copy).split()[1] == "1500000"
    assert copy.read_bytes() == source.read_bytes()


main(globals())
