#!/usr/bin/env bash
# A death at every single write, of the release build; takes hours. What ctest runs without this is every n-th write.
#   tests/crash/full.sh [CTEST ARGUMENTS…]
set -euo pipefail
cd "$(dirname "$0")/../.."
cmake --preset release -DTANDEM_TESTS=ON -DTANDEM_CRASH_TIMEOUT=14400 >/dev/null
cmake --build --preset release -- --quiet
CRASH_STEP=1 ctest --test-dir build --output-on-failure -L '^crash$' "$@"
