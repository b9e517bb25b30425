#!/usr/bin/env bash
# Which lines the tests reach: builds with gcov, runs the tests, prints the lines per folder and the files least reached.
#   tests/coverage.sh [CTEST ARGUMENTS…]      needs gcovr; nothing fails because of what it prints
set -euo pipefail
cd "$(dirname "$0")/.."

command -v gcovr >/dev/null || { echo "install gcovr first" >&2; exit 1; }
cmake --preset coverage -DTANDEM_TESTS=ON >/dev/null
cmake --build --preset coverage -- --quiet
find build-coverage -name '*.gcda' -delete
export TANDEM_GENTLE=1
ctest --test-dir build-coverage --parallel "$(nproc)" "$@" || echo "some tests failed; what they reached counts all the same"
gcovr --root . --object-directory build-coverage --filter 'archive-node/|ipc/|proto/|sparse-node/|supervisor/' \
    --exclude '.*/embed_recipes.c' --exclude-unreachable-branches --gcov-ignore-parse-errors --csv 2>/dev/null |
    awk -F, 'NR > 1 {
        n = split($1, part, "/")
        folder = part[1] (part[1] == "proto" ? "/" part[2] : "")
        all[folder] += $2; hit[folder] += $3
        if (part[1] == "proto") { all["proto, all"] += $2; hit["proto, all"] += $3 }
        if ($2 > 20 && $3 / $2 < 0.85) least[$1] = sprintf("%5.1f %%  %s", 100 * $3 / $2, $1)
    }
    END {
        for (f in all) printf "%5.1f %%  %6d lines  %s\n", 100 * hit[f] / all[f], all[f], f | "sort -k4"
        close("sort -k4")
        print "\nfiles below 85 %"
        for (f in least) print least[f] | "sort -n"
    }'
