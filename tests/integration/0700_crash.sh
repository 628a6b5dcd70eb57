#!/bin/sh
# SPDX-License-Identifier: ISC
# Samples of "make crash", "make errno" and "make states".
cd "$(dirname "$0")" && . ./lib.sh

# KIND STEP
sample() {
	check "crash: $1" "$TESTS/crash/run.sh" "$1" "$2"
	tail -n 1 "$T/check.out"
}

sample kill 150
sample errno 4000
sample states 300
