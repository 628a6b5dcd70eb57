#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Collection while the registry serves: what is deleted goes in two runs, what
# somebody asks for comes back, and a collector that dies leaves nothing
# broken.
cd "$(dirname "$0")" && . ./lib.sh && . ./collect.sh

CONF_REGISTRYD='  collect: {interval: 24h, grace: 20s, delay: 0s}'
start_registryd

count_files() {
	find "$STORE/docker/registry/v2/blobs" -name "${1:-data}" | wc -l
}
deleted_blobs() {
	expect "$1" "$2" "$(collected '.blobs.deleted')"
}

# ---- two runs --------------------------------------------------------------

make_image team/app 1 >"$T/one"
kept=$layer
make_image team/app 2 >"$T/two"
gone=$layer
loose=$(make_blob 5000)
push_blob team/app "$loose"
check 'a collection of young things' collect
expect 'nothing young is condemned' 0 "$(collected '.blobs.condemned')"
make_old

req DELETE "/v2/team/app/manifests/$(cat "$T/two")"
expect_status 202 'delete a manifest'
check 'the first collection' collect
expect 'it condemns layer, config, manifest and the loose blob' 4 \
    "$(collected '.blobs.condemned')"
expect 'and tells the bytes' true \
    "$(collected '.condemned_bytes > 6000')"
deleted_blobs 'it removes nothing' 0
check 'the bytes of the deleted image are renamed' \
    [ ! -e "$(blob_file "$(digest "$gone")")" ]
req GET "/v2/team/app/manifests/1"
expect_status 200 'the other tag stays'
req HEAD "/v2/team/app/blobs/$(digest "$kept")"
expect_status 200 'and its layer'

# Somebody asks for one of them, somebody else pushes a manifest of another.
req HEAD "/v2/team/app/blobs/$(digest "$loose")"
expect_status 200 'a HEAD of a condemned blob'
check 'it is back' [ -e "$(blob_file "$(digest "$loose")")" ]
req GET "/v2/team/app/blobs/$(digest "$gone")"
expect_status 200 'a GET of another'
check 'the bytes are right' cmp -s "$T/body" "$gone"
check 'the second collection' collect
deleted_blobs 'it removes config and manifest' 2
req HEAD "/v2/team/app/blobs/$(digest "$gone")"
expect_status 200 'what was asked for is still there'
make_old
check 'later it is condemned again' collect
expect 'both' 2 "$(collected '.blobs.condemned')"
check 'and removed' collect
deleted_blobs 'both' 2
for blob in "$gone" "$loose"; do
	req HEAD "/v2/team/app/blobs/$(digest "$blob")"
	expect_status 404 'a HEAD of what was removed'
done
expect 'three files are left' 3 "$(count_files)"
check 'the store is sound' sound

# ---- a manifest right after its layers were condemned -----------------------

make_image team/late 1 >"$T/late"
layers="$layer $config" late=$manifest
req DELETE "/v2/team/late/manifests/$(cat "$T/late")"
make_old
check 'condemn the layers' collect
check 'a push of the manifest alone' push_manifest team/late 2 "$late"
for blob in $layers; do
	req GET "/v2/team/late/blobs/$(digest "$blob")"
	expect_status 200 'a layer of it'
done
check 'two more collections' collect
make_old
check 'the last of them' collect
req GET /v2/team/late/manifests/2
expect_status 200 'the image stays'
check 'whole' sound

# ---- deletion, empty repositories ------------------------------------------

req DELETE "/v2/team/late/blobs/$(digest "$layer")"
expect_status 405 'a blob in use is not deleted'
expect_code DENIED
req DELETE "/v2/team/late/manifests/$(cat "$T/late")"
make_old
for run in 1 2; do
	check "collection $run of a repository without manifests" collect
done
make_old
find "$STORE" -type d -exec touch -d '1 hour ago' {} +
check 'and one for its directories' collect
check 'the repository is gone' \
    [ ! -e "$STORE/docker/registry/v2/repositories/team/late" ]
check 'its neighbour is not' \
    [ -d "$STORE/docker/registry/v2/repositories/team/app" ]

# ---- kill -9 in the middle --------------------------------------------------

for n in 1 2 3 4 5 6 7 8; do
	make_image "kill/r$n" 1 200 >"$T/kill.$n"
	[ $((n % 2)) -eq 0 ] ||
	    req DELETE "/v2/kill/r$n/manifests/$(cat "$T/kill.$n")"
done
make_old
for delay in 0 0.004 0.012 0.03; do
	collect &
	sleep "$delay"
	pid=$(children "$REGISTRYD_PID" 'collector')
	[ -n "$pid" ] && kill -KILL "$pid"
	wait $!
	wait_log "$REGISTRYD_LOG" 'collector' 5
done
has_collector() {
	collect
}
check 'a collector is back' wait_until 20 has_collector
check 'and collects' collect
make_old
check 'all of it' collect
for n in 2 4 6 8; do
	req GET "/v2/kill/r$n/manifests/1"
	expect_status 200 "image $n outlives the kills"
done
check 'the store is sound after the kills' sound
expect 'the deleted ones are gone' 15 "$(count_files)"
expect 'and their condemned names' 0 "$(count_files '*.condemned.*')"

# ---- a dry run, the log, the schedule ----------------------------------------

push_blob team/app "$(make_blob 100)"
make_old
check 'a dry run' collect --dry-run
expect 'it would condemn one' 1 "$(collected '.blobs.condemned')"
expect 'and condemns none' 16 "$(count_files)"
check 'each run is one line in the log' \
    wait_log "$REGISTRYD_LOG" 'collection: removed .*in use: '
# What it may not read is no damage to the disk, and is not passed over.
foreign=$STORE/docker/registry/v2/repositories/foreign
mkdir -m 0 "$foreign"
refuse 'a directory of another user' collect --dry-run
expect 'stops a run' 'permission denied' "$(collected '.outcome')"
check 'and is named' grep -q 'repositories/foreign' "$T/collected"
rmdir "$foreign"
# What it reads keeps its time of access; others change that.
accessed() {
	stat -c %X "$1"
}
read_by_it=$(find "$STORE/docker" -path '*/revisions/*' -name link | head -n 1)
make_old
before=$(accessed "$read_by_it")
check 'a dry run that reads it all again' collect --dry-run
after=$(accessed "$read_by_it")
cat "$read_by_it" >/dev/null
if [ "$before" = "$(accessed "$read_by_it")" ]; then
	echo "skip ${0##*/}: mounted without times of access"
else
	expect 'leaves the times of access' "$before" "$after"
fi
stop_registryd
CONF_REGISTRYD='  collect: {interval: 200ms, grace: 2s, delay: 100ms}'
start_registryd
check 'by schedule' wait_log "$REGISTRYD_LOG" 'removed 1 blobs'
check 'sound at the end' sound
