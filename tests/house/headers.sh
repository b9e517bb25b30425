#!/usr/bin/env bash
# Every header compiles alone.  headers.sh SOURCE-DIR COMPILER
set -u
cd "$1" || exit 1
failed=0
read -ra flags < <(pkg-config --cflags jansson)
for header in $(find proto ipc supervisor archive-node sparse-node -name '*.h' | sort); do
    if ! printf '#include "%s"\n' "${header#proto/}" |
        "$2" -fsyntax-only -x c -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Iproto -I. "${flags[@]}" -; then
        echo "does not compile alone: $header"
        failed=1
    fi
done
exit $failed
