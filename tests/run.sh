#!/usr/bin/env bash
# Installs what is missing, builds as released and runs every test through ctest; then again with AddressSanitizer and
# UBSan, but for the scenarios with the label "once"; then those in which threads meet with ThreadSanitizer.
#   tests/run.sh [--no-install] [--release-only] [--full] [CTEST ARGUMENTS…]
# --full: also those scenarios with sanitizers, and a death at every single write instead of a sample; takes hours.
# ONE_PEER=DIR names a folder with the packages of a live ONE.models peer; then the interop tests run as well.
set -euo pipefail
cd "$(dirname "$0")/.."

install=yes
full=no
presets=(release asan tsan)
while [ $# -gt 0 ]; do
    case $1 in
    --no-install) install=no ;;
    --release-only) presets=(release) ;;
    --full) full=yes ;;
    -h | --help) sed -n '2,7s/^# //p' "$0"; exit 0 ;;
    *) break ;;
    esac
    shift
done
if [ "$install" = yes ]; then
    deploy/install-packages.sh test
fi

crash_timeout=900
if [ "$full" = yes ]; then
    export CRASH_STEP=1
    crash_timeout=14400
fi

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-suppressions=$PWD/tests/support/tsan.supp second_deadlock_stack=1}
jobs=$((2 * $(nproc))) # most of what whole installations take is waiting
build_folder() {
    if [ "$1" = release ]; then echo build; else echo "build-$1"; fi
}
# What fails is run once more, alone, so that a real fault is told from a machine that was too busy. Both outcomes are shown.
run_tests() {
    local folder=$1
    shift
    if ! ctest --test-dir "$folder" --output-on-failure --parallel "$jobs" "$@"; then
        echo "== once more, one at a time: $(cut -d: -f2 "$folder/Testing/Temporary/LastTestsFailed.log" | tr '\n' ' ')"
        ctest --test-dir "$folder" --output-on-failure --rerun-failed
    fi
}
for preset in "${presets[@]}"; do
    target=all
    selection=()
    if [ "$preset" = asan ] && [ "$full" = no ]; then
        selection=(-LE '^once$')
    fi
    if [ "$preset" = tsan ]; then
        target=threads
        selection=(-L '^threads$')
    fi
    echo "== $preset: build"
    cmake --preset "$preset" -DTANDEM_TESTS=ON -DTANDEM_CRASH_TIMEOUT="$crash_timeout" >"/tmp/tandem-configure.$$" 2>&1 || { cat "/tmp/tandem-configure.$$"; exit 1; }
    rm -f "/tmp/tandem-configure.$$"
    cmake --build --preset "$preset" --target "$target" -- --quiet
    if [ "$preset" = release ] && [ "$full" = yes ]; then
        echo "== $preset: clang's analyzer"
        python3 tests/house/tidy.py . build --analyzer || [ $? = 77 ]
    fi
    echo "== $preset: test"
    run_tests "$(build_folder "$preset")" "${selection[@]}" "$@"
done
