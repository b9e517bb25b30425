#!/usr/bin/env bash
# The whole path on a fresh Debian 12 in one command: installs what is missing, builds, and runs `tandem demo`.
# Arguments are handed to `tandem demo` (try --json, --keep).
set -euo pipefail
cd "$(dirname "$0")/.."
deploy/install-packages.sh build
if [ ! -f build/build.ninja ]; then
    cmake --preset release -DTANDEM_TESTS=OFF >/dev/null
fi
echo "building …" >&2
cmake --build build --target tandem tandem-supervisor tandem-archive tandem-sparse >/dev/null
exec build/bin/tandem demo "$@"
