#!/bin/sh
# SPDX-License-Identifier: ISC
# A sample of "make crash".
cd "$(dirname "$0")" && . ./lib.sh

# KIND STEP
sample() {
	check "crash: $1" "$TESTS/crash/run.sh" "$1" "$2"
	tail -n 1 "$T/check.out"
}

sample kill 150
