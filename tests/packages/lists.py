"""Each file that is installed goes into one package, and each line of the packages' lists finds a file:
lists.py SOURCE-DIR BUILD-DIR"""
import fnmatch
import os
import pathlib
import subprocess
import sys
import tempfile

source, build = map(pathlib.Path, sys.argv[1:])
debian = source / "deploy" / "debian"
packages = [line.split()[1] for line in (debian / "control").read_text().splitlines() if line.startswith("Package:")]

with tempfile.TemporaryDirectory() as root:
    subprocess.run(["cmake", "--install", build, "--prefix", "/usr"], check=True, stdout=subprocess.DEVNULL,
                   env=os.environ | {"DESTDIR": root})
    installed = [str(path.relative_to(root)) for path in pathlib.Path(root).rglob("*") if path.is_file()]

lines = [(package, line.split()[0]) for package in packages
         for line in (debian / f"{package}.install").read_text().splitlines()]


def takes(pattern, path):  # a line names a file, a folder or a pattern
    pattern = pattern.replace("usr/lib/*/", "usr/lib/")  # which has a folder for each architecture where it is a package
    return fnmatch.fnmatch(path, pattern) or path.startswith(pattern + "/")


wrong = [f"{path} is in {owners or 'no package'}" for path in installed
         if len(owners := [package for package, pattern in lines if takes(pattern, path)]) != 1]
wrong += [f"{package}.install: nothing is installed as {pattern}" for package, pattern in lines
          if not any(takes(pattern, path) for path in installed)]
wrong += [f"{path.name} is for no package" for path in debian.glob("*.install") if path.stem not in packages]
print("\n".join(wrong))
sys.exit(1 if wrong or len(installed) < 20 else 0)
