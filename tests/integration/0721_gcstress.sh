#!/bin/sh
# SPDX-License-Identifier: ISC
# A sample of "make gcstress".
cd "$(dirname "$0")" && . ./lib.sh

check "stress: clients and collectors, killed and stopped" \
    "$BUILD/tests/gc/gcstress" -n 15000
cat "$T/check.out"
