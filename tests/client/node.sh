#!/usr/bin/env bash
# Runs a test of the Node.js client, where Node.js 18 or newer is there.  node.sh FILE
if ! node -e 'process.exit(process.versions.node.split(".")[0] < 18 ? 1 : 0)' 2>/dev/null; then
    echo "SKIP: there is no Node.js 18 or newer"
    exit 77
fi
exec node "$1"
