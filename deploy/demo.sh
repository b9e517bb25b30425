#!/usr/bin/env bash
# The whole path on a fresh Debian 12 or 13 in one command: installs what is missing, builds, and runs `tandem demo`.
# Arguments are handed to `tandem demo` (try --json, --keep).
set -euo pipefail
cd "$(dirname "$0")/.."
deploy/install-packages.sh build

log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() { # shows what was said only when it failed
    "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
}
if [ ! -f build/build.ninja ]; then
    quietly cmake --preset release -DTANDEM_TESTS=OFF
fi
echo "building …" >&2
quietly cmake --build build --target tandem tandem-supervisor tandem-archive tandem-sparse
rm -f "$log"
exec build/bin/tandem demo "$@"
