#!/usr/bin/env bash
# No licence texts of the reference: recordings leave its License objects out.  licences.sh SOURCE-DIR
set -u
cd "$1" || exit 1
found=$(grep -rlE 'itemtype=\\*"//refin\.io/License\\*"|"[$]type[$]\\*": *\\*"License\\*"' tests/vectors --include='*.json')
if [ -n "$found" ]; then
    echo "License objects are in: $found"
    exit 1
fi
