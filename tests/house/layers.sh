#!/usr/bin/env bash
# The pure libraries stay pure, and each big library is called in one place.  layers.sh SOURCE-DIR BUILD-DIR
set -u
failed=0
for pure in wire data conn; do
    library="$2/proto/$pure/libtandem_$pure.a"
    symbols=$(nm --undefined-only "$library" 2>/dev/null | awk '{print $2}' |
        grep -E '^(lws_|sqlite3_|nng_|open$|open64$|socket$|connect$|pthread_create$)')
    if [ -n "$symbols" ]; then
        echo "$library uses: $symbols"
        failed=1
    fi
done
cd "$1" || exit 1
check() { # prefix, folders that may use it
    found=$(find proto ipc supervisor archive-node sparse-node -name '*.[ch]' | grep -vE "^($2)/" |
        xargs grep -lE "(^|[^a-zA-Z_])$1[a-z0-9_]+ *\(" 2>/dev/null)
    if [ -n "$found" ]; then
        echo "$1 functions are called outside $2: $found"
        failed=1
    fi
}
check lws_ 'proto/net|proto/relay'
check sqlite3_ 'proto/store'
check nng_ 'ipc'
check uv_ 'supervisor'
exit $failed
