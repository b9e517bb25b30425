"""The example of the library is compiled with what is installed and talks with itself:
example.py BUILD-DIR COMPILER [FLAG…]"""
import os
import pathlib
import subprocess
import sys
import tempfile

build, compiler = sys.argv[1], sys.argv[2:]

with tempfile.TemporaryDirectory() as folder:
    there = pathlib.Path(folder)
    for component in ("proto/library",):
        subprocess.run(["cmake", "--install", f"{build}/{component}", "--prefix", folder], check=True,
                       stdout=subprocess.DEVNULL)
    files = next(there.rglob("tandem.pc")).parent
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "tandem"], check=True, capture_output=True, text=True,
                           env=os.environ | {"PKG_CONFIG_PATH": str(files)}).stdout.split()
    example = there / "share/doc/tandem/examples/c/hello.c"
    assert len(example.read_text().splitlines()) < 70
    subprocess.run([*filter(None, compiler), "-Wall", "-Wextra", "-Werror", str(example), "-o", folder + "/hello", *flags],
                   check=True)
    answerer = subprocess.Popen(["./hello"], cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        _, url, key = answerer.stdout.readline().split()
        for _ in range(2):  # the second time its keys are those of the first
            caller = subprocess.run(["./hello", url, key], cwd=folder, capture_output=True, text=True, timeout=60)
            assert caller.stdout == "received: Hello!\nclosed: CLOSED \n", caller
            seen = [answerer.stdout.readline() for _ in range(3)]
            first = seen[0] if _ == 0 else first
            assert seen == [first, "received: Hello!\n", "closed: PEER-CLOSED \n"], seen
            assert first.startswith("caller@example.org is here, with the key "), first
    finally:
        answerer.terminate()
        answerer.wait()
    for name in ("caller", "answerer"):
        assert os.stat(f"{folder}/{name}.identity").st_mode & 0o777 == 0o600
    wrong = subprocess.run(["./hello", url, key[:-2]], cwd=folder, capture_output=True, text=True, timeout=60)
    assert (wrong.returncode, wrong.stderr.split(":")[0]) == (1, "BAD-KEY"), wrong
