"""The bill of materials names the libraries that the programs are linked with, all of them and no other, as pkg-config
knows them:  sbom.py BUILD-DIR"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

build = pathlib.Path(sys.argv[1])
OF_COMPILER = {"c", "m", "ld", "gcc_s", "ssl", "asan", "ubsan", "tsan", "avahi-common"}  # beside it, and what OpenSSL and Avahi bring along
if shutil.which("readelf") is None:
    print("skipped: there is no readelf", file=sys.stderr)
    sys.exit(77)


def stem(name):  # of libpng16.so.16 and of libpng: png
    return re.sub(r"^lib|\d+$", "", re.sub(r"(-linux-.*)?[.]so.*", "", name))


linked = set()
for program in ("tandem", "tandem-supervisor", "tandem-archive", "tandem-sparse", "tandem-relay", "tandem-ui", "tandem-discovery"):
    if not (build / "bin" / program).exists():  # a build without Avahi has not all of them
        continue
    shown = subprocess.run(["readelf", "-d", build / "bin" / program], capture_output=True, text=True, check=True).stdout
    linked |= {stem(name) for name in re.findall(r"\(NEEDED\).*\[(.*)\]", shown)} - OF_COMPILER

bill = json.loads((build / "share" / "tandem.cdx.json").read_text())
assert bill["bomFormat"] == "CycloneDX" and bill["metadata"]["component"]["version"].count(".") == 2
components = {component["name"]: component["version"] for component in bill["components"]}
assert linked == {stem(name) for name in components}, (linked, components)
for name, version in components.items():
    if name not in ("nng", "libev"):  # which pkg-config does not know
        known = subprocess.run(["pkg-config", "--modversion", name], capture_output=True, text=True, check=True).stdout
        assert version == known.strip().rstrip("-"), (name, version, known)
assert set(bill["dependencies"][0]["dependsOn"]) == set(components)
assert all(component["licenses"][0]["license"]["id"] for component in bill["components"])
