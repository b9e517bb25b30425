#!/usr/bin/env bash
# The pure libraries stay pure, each big library is called in one place, and every folder includes only what lies below
# it.  layers.sh SOURCE-DIR BUILD-DIR
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
check avahi_ 'supervisor/discovery'
check natsConnection_ 'proto/relay'
check QRcode_ 'supervisor/ctl'
check ZSTD_ 'proto/chum'

below() { # folder, what it may include besides itself
    found=$(grep -rnE '^#include "[a-z-]+/' --include='*.[ch]' "$1" | grep -vE "\"($2|${1##*/})/")
    if [ -n "$found" ]; then
        echo "$1 may include only from $2: $found"
        failed=1
    fi
}
below proto/base 'base'
below proto/io 'base'
below proto/wall 'base'
below proto/crypto 'base|io'
below proto/wire 'base|crypto'
below proto/data 'base|crypto'
below proto/store 'base|io|crypto|data'
below proto/conn 'base|crypto|data|wire'
below proto/chum 'base|crypto|store|wire|conn'
below proto/models 'base|io|crypto|data|store'
below proto/net 'base|crypto|conn'
below proto/relay 'base|wall|crypto|conn|net|ipc'
below proto/library 'base|io|crypto|conn|net'
below ipc 'base|crypto'
found=$(grep -rnE '^#include "(net|conn)/' --include='*.[ch]' supervisor | grep -v '^supervisor/ui/')
if [ -n "$found" ]; then
    echo "only the page's program speaks with a network: $found"
    failed=1
fi
below supervisor 'base|wall|io|crypto|ipc|store|net|conn'
below supervisor/ui 'base|wall|crypto|ipc|net|conn|supervisor/ui'
below supervisor/discovery 'base|wall|supervisor/discovery'
below archive-node 'base|net|node|relay'
below sparse-node 'node'

# What the files of the store share among themselves is nobody else's, but of the test of what nobody sees from outside:
# that a row is not asked for again.
found=$(grep -rnE '#include "store/' --include='*.[ch]' proto ipc supervisor archive-node sparse-node tests |
    grep -v -e '^proto/store/' -e '^tests/unit/store/test_rows.c:' | grep -vE '"store/(delivery|feed|look|outbox|queue|reader|room|settle_pace|settled|snapshot|store|summing|sums|trace|verify|walk)\.h"')
if [ -n "$found" ]; then
    echo "private headers of the store are included: $found"
    failed=1
fi
exit $failed
