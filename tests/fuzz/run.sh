#!/usr/bin/env bash
# Fuzzes the parsers of what comes from outside, each target with its dictionary, from the corpus of the repository.
#   tests/fuzz/run.sh [--seconds N] [--jobs N] [--keep DIR] [TARGET…]
# Runs each for N seconds (default 60), as many at a time as there are processors. What is found stays in DIR/TARGET.found (default a
# temporary folder, printed when something is in it); the corpora grow in DIR/TARGET. Exit 1 when a target found something.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=60
jobs=$(nproc)
keep=
targets=()
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) seconds=$2; shift ;;
    --jobs) jobs=$2; shift ;;
    --keep) keep=$2; shift ;;
    -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
    -*) echo "unknown option $1" >&2; exit 2 ;;
    *) targets+=("$1") ;;
    esac
    shift
done
if [ ${#targets[@]} -eq 0 ]; then
    for dictionary in tests/fuzz/dictionaries/*.dict; do
        targets+=("$(basename "$dictionary" .dict)")
    done
fi
cmake --preset fuzz -DTANDEM_TESTS=ON >/dev/null
cmake --build build-fuzz --target "${targets[@]}" -- --quiet
keep=${keep:-$(mktemp -d)}

fuzz_one() {
    local target=$1 status=0
    mkdir -p "$keep/$target" "$keep/$target.found"
    build-fuzz/bin/"$target" -dict="tests/fuzz/dictionaries/$target.dict" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$keep/$target.found/" "$keep/$target" "tests/fuzz/corpus/$target" \
        >"$keep/$target.log" 2>&1 || status=$?
    local executed
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$keep/$target.log")
    if [ "$status" -eq 0 ]; then
        echo "ok    $target: ${executed:-0} inputs in $seconds s"
    else
        echo "FOUND $target: see $keep/$target.log and $keep/$target.found/"
    fi
    return "$status"
}
export -f fuzz_one
export keep seconds
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz_one {}'
