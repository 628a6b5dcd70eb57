#!/bin/sh
# SPDX-License-Identifier: ISC
# A sample of "make mutants".
cd "$(dirname "$0")" && . ./lib.sh

check "mutants: two are caught" env BUILD="$BUILD" \
    "$TESTS/mutants/run.sh" upload_not_synced condemned_not_marked
cat "$T/check.out"
