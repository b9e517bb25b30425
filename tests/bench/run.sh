#!/usr/bin/env bash
# Builds the programs as released and prints one table: what tandem takes for each work beside the limit of this machine and
# what other programs take, in the same run. About ten minutes on an idle machine.
#   tests/bench/run.sh [--smoke | --full] [--only WORK]... [--json FILE] [--doc FILE]
#       --smoke     everything small; shows only that the benchmark works
#       --full      the sizes of the goals, e.g. 1,000,000 objects: hours
#       --only      a work by its name, see tests/bench/table.py; may be repeated
#       --json      keeps the figures; --doc docs/performance.md writes the table there
#   tests/bench/run.sh --parts [--smoke]     the tables of the parts instead: store, exchange, merging, microdata, models
# BUILD=DIR is the build folder (default: build, configured as the preset release). YJS_PEER names a folder in which the
# npm package yjs is installed; NATS is measured where nats-server is.
set -euo pipefail
cd "$(dirname "$0")/../.."

build=${BUILD:-build}
programs=(tandem tandem-supervisor tandem-archive tandem-sparse tandem-relay bench_store bench_relay)
parts=(bench_microdata bench_merge bench_models bench_store bench_sync)

if [ ! -f "$build/build.ninja" ]; then
    cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DTANDEM_TESTS=ON >/dev/null
fi
if [ "${1:-}" != --parts ]; then
    cmake --build "$build" --target "${programs[@]}" -- --quiet
    exec python3 tests/bench/table.py "$build" "$@"
fi

smoke=()
[ "${2:-}" = --smoke ] && smoke=(--smoke)
cmake --build "$build" --target "${parts[@]}" -- --quiet
for part in "${parts[@]}"; do
    printf '\n== %s\n' "${part#bench_}"
    case $part in
    bench_models) "$build/bin/$part" ${smoke[0]:+1000} ;;
    *) "$build/bin/$part" "${smoke[@]}" ;;
    esac
done
