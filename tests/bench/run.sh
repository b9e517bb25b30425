#!/usr/bin/env bash
# Builds the programs as released and prints every benchmark's table. Takes some minutes on an idle machine.
#   tests/bench/run.sh [--smoke]    everything small; shows only that the benchmarks work
# BUILD=DIR is the build folder (default: build, configured as the preset release).
set -euo pipefail
cd "$(dirname "$0")/../.."

smoke=()
[ "${1:-}" = --smoke ] && smoke=(--smoke)
build=${BUILD:-build}
targets=(tandem tandem-supervisor tandem-archive tandem-sparse tandem-relay)
benches=(bench_microdata bench_merge bench_models bench_store bench_sync bench_relay)

if [ ! -f "$build/build.ninja" ]; then
    cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DTANDEM_TESTS=ON >/dev/null
fi
cmake --build "$build" --target "${targets[@]}" "${benches[@]}" -- --quiet
heading() {
    printf '\n== %s\n' "$1"
}
run() {
    local program
    program=$(find "$build" -name "$1" -type f -perm -u+x -print -quit)
    heading "${1#bench_}"
    "$program" "${@:2}"
}

heading nodes
TANDEM_BIN=$(realpath "$build/bin") python3 tests/bench/bench_nodes.py "${smoke[@]}"
for bench in "${benches[@]}"; do
    case $bench in
    bench_models) run "$bench" ${smoke[0]:+1000} ;;
    bench_relay) run "$bench" "$build/bin/tandem-relay" "${smoke[@]}" ;;
    *) run "$bench" "${smoke[@]}" ;;
    esac
done
