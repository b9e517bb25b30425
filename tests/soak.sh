#!/bin/sh
# A long time of work and mishaps, of the programs in TANDEM_BIN or build/bin:
#   tests/soak.sh [--minutes N] [--seed N] [--keep DIR]
# Disks are mounted that can be full, where the system allows it: out of everybody's sight, and gone with this.
set -e
cd "$(dirname "$0")/.."
export TANDEM_BIN="${TANDEM_BIN:-$PWD/build/bin}"
apart="unshare --mount"
$apart true 2>/dev/null || apart="unshare --user --map-root-user --mount"
$apart true 2>/dev/null || apart=
exec $apart python3 tests/soak/run.py "$@"
