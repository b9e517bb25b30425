#!/bin/sh
# Many random sequences (test_sequences.c), and of the first that fails the shortest that does.
#
#   sequences.sh PROGRAM [SEED [COUNT [PROCESSES]]]      default: a new seed, 100,000 sequences, 2 processes
#
# Every sequence is repeatable: the program prints which one, and with it this script looks whether the sequence fails on
# a node of its own block's first sequences alone, then for the fewest of its steps.
set -u
program=$1 seed=${2:-$(date +%s)} count=${3:-100000} processes=${4:-2}
logs=$(mktemp -d) began=$(date +%s) piece=$(((count / processes + 49) / 50 * 50)) failed=
echo "seed $seed, $count sequences in $processes processes"
i=0
while [ $i -lt "$processes" ]; do
  nice "$program" "$seed" "$piece" $((i * piece)) > "$logs/$i" 2>&1 || touch "$logs/failed-$i" &
  i=$((i + 1))
done
wait
tail -n 3 "$logs"/[0-9]*
for i in "$logs"/failed-*; do
  [ -e "$i" ] && failed=$logs/${i##*-} && break
done
if [ -z "$failed" ]; then
  rm -r "$logs"
  echo "seed $seed: $count sequences in $(($(date +%s) - began)) s, nothing found"
  exit 0
fi
cat "$failed"
place=$(sed -n 's/^at sequence \([0-9]*\), step .*/\1/p' "$failed")
[ -n "$place" ] || exit 1
low=0 high=60
while [ $((high - low)) -gt 1 ]; do # fails with high steps, not with low
  middle=$(((low + high) / 2))
  if "$program" "$seed" 1 "$place" $middle > /dev/null 2>&1; then low=$middle; else high=$middle; fi
done
echo "the shortest that fails: $program $seed 1 $place $high"
exit 1
