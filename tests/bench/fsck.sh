#!/bin/sh
# SPDX-License-Identifier: ISC
#
# How fast registryctl checks a large store: FSCK_REPOSITORIES of 20 tags, 10
# layers each; with the caches warm.  Fails below 50,000 objects per second,
# or when it finds anything in a store that is right.
cd "$(dirname "$0")/../integration" && . ./lib.sh

FSCK_REPOSITORIES=${FSCK_REPOSITORIES:-400}
FSCK_RATE=${FSCK_RATE:-50000}

mkdir "$STORE"
registryd_conf >"$T/registryd.yml"
"$BUILD/tests/bench/make_store" "$STORE" "$FSCK_REPOSITORIES" 20 10 ||
    die "make_store"
for run in cold warm warm; do
	"$BUILD/registryctl" -f "$T/registryd.yml" --json fsck >"$T/out"
	check "$run: nothing found" [ $? -eq 0 ]
	jq -r --arg run "$run" '.report | "\($run): \(.objects) objects, " +
	    "\(.blobs) blobs, \(.manifests) manifests in " +
	    "\(.milliseconds) ms: \(.objects * 1000 / .milliseconds |
	    floor) objects/s, \(.objects * 1000 / .cpu_milliseconds |
	    floor)/s of processor time"' "$T/out"
done
check 'no notes either' jq -e '.report.odd + .report.notes == 0' "$T/out"
check "at least $FSCK_RATE objects/s" jq -e --argjson rate "$FSCK_RATE" \
    '.report.objects * 1000 / .report.milliseconds >= $rate' "$T/out"
