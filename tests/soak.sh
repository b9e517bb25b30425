#!/bin/sh
# A long time of work and mishaps, of the programs in TANDEM_BIN or build/bin: tests/soak.sh [--minutes N] [--seed N]
set -e
cd "$(dirname "$0")/.."
TANDEM_BIN=${TANDEM_BIN:-$PWD/build/bin} exec python3 tests/soak.py "$@"
