#!/usr/bin/env bash
# Our nodes against live reference peers, in both roles.
#   ONE_PEER=DIR tests/interop/run.sh [BIN] [--table] [--repeat N] [WORD…]
# ONE_PEER names the folder whose node_modules hold the peer's packages; without it nothing is tried and the exit status is 77.
# ONE_BROWSER names the folder whose node_modules hold esbuild and playwright-core; with it, and Debian's chromium (or what
# ONE_CHROMIUM names), the cases "page: …" drive the peer's browser build as well. Else they are told as not tried.
# BIN is the folder of our programs (default $TANDEM_BIN, else build/bin). --table prints the table of docs/conformance.md;
# --repeat runs everything N times, until a run fails; only cases whose names contain a WORD are run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

if [ -z "${ONE_PEER:-}" ]; then
    echo "SKIPPED: no live peer was tried. Set ONE_PEER to the folder that holds its packages in node_modules."
    exit 77
fi
if [ $# -gt 0 ] && [ -x "$1/tandem" ]; then
    TANDEM_BIN=$1
    shift
fi
export TANDEM_BIN=${TANDEM_BIN:-$here/../../build/bin} PYTHONDONTWRITEBYTECODE=1
ulimit -n 4096
exec python3 "$here/live_run.py" "$@"
