#!/bin/sh
# SPDX-License-Identifier: ISC
# A sample of "make gcmodel".
cd "$(dirname "$0")" && . ./lib.sh

check "model: one scenario, three broken variants" \
    "$TESTS/gc/gcmodel.sh" quick
cat "$T/check.out"
