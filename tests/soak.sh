#!/bin/sh
# Hours of work and of mishaps: tests/soak.sh [--minutes N] [--seed N] [BUILD], of the programs in BUILD/bin.
set -e
cd "$(dirname "$0")/.."
options=
while [ $# -gt 1 ]; do
    options="$options $1 $2"
    shift 2
done
TANDEM_BIN=${TANDEM_BIN:-$PWD/${1:-build}/bin} exec python3 tests/soak.py $options
