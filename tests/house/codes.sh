#!/usr/bin/env bash
# Every code of the table in ipc/errors.c is one that some program can answer with: codes.sh SOURCE-DIR
set -euo pipefail
cd "$1"

failed=0
while read -r code; do
    if ! grep -rqF "\"$code\"" --include='*.[ch]' --exclude=errors.c archive-node ipc proto sparse-node supervisor; then
        echo "nothing answers with $code"
        failed=1
    fi
done < <(sed -nE 's/^    \{"([A-Z0-9-]+)", -?[0-9]+,.*/\1/p' ipc/errors.c)
exit $failed
