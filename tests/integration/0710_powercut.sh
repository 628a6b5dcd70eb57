#!/bin/sh
# SPDX-License-Identifier: ISC
# One power cut of a machine with ext4, and one more of the same load: what
# was acknowledged is there.  "make powercut" is the whole of it.
cd "$(dirname "$0")" && . ./lib.sh

check "a kernel and what it boots" "$TESTS/powercut/build.sh" ||
    die "no guest"
"$BUILD/tests/powercut/powercut" -c 1 -i 1 -t 4000 -d batch -f ext4 \
    "$BUILD/powercut" >"$T/powercut.log" 2>&1
check "a cut on ext4 loses nothing" [ $? -eq 0 ]
check "power was cut" grep -q "^ext4-batch: 1 cuts, " "$T/powercut.log"
cat "$T/powercut.log"
