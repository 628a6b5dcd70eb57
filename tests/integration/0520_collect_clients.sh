#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Collection under the hands of others: the docker client pushes an image
# whose layers are condemned, and two registryds on one directory push, delete
# and collect at the same time.
cd "$(dirname "$0")" && . ./lib.sh && . ./clients.sh && . ./collect.sh

# ---- two on one directory ----------------------------------------------------

CONF_REGISTRYD='  collect: {interval: 100ms, grace: 3s, delay: 100ms}'
start_registryd
one=$REGISTRY one_log=$T/registryd-one.log
PIDS="$PIDS $REGISTRYD_PID"
cp "$T/registryd.yml" "$T/other.yml"
mv "$REGISTRYD_LOG" "$one_log"
start_registryd "$T/other.yml"
two=$REGISTRY
n=0
while [ "$n" -lt 12 ]; do
	n=$((n + 1))
	REGISTRY=$one
	make_image "shared/r$((n % 3))" "t$n" 500 >"$T/image.$n"
	[ -s "$T/image.$n" ] || fail "push $n" "$status"
	REGISTRY=$two
	if [ $((n % 2)) -eq 0 ]; then
		req DELETE "/v2/shared/r$((n % 3))/manifests/$(cat \
		    "$T/image.$n")"
		[ "$status" = 202 ] || fail "delete $n" "$status"
	fi
	# Older than the grace, while it is pushed to.
	make_old
done
collections() {
	[ "$(cat "$one_log" "$T/registryd.log" |
	    grep -c 'collection: removed')" -ge "$1" ]
}
check 'both collect' wait_until 20 collections 10
n=0
while [ "$n" -lt 11 ]; do
	n=$((n + 2))
	for REGISTRY in $one $two; do
		req GET "/v2/shared/r$(((n - 1) % 3))/manifests/t$((n - 1))"
		expect_status 200 "image $((n - 1))"
		cp "$T/body" "$T/served"
		for blob in $(jq -r '.config.digest, .layers[].digest' \
		    "$T/served"); do
			req GET "/v2/shared/r$(((n - 1) % 3))/blobs/$blob"
			[ "$(digest "$T/body")" = "$blob" ] ||
			    fail "a blob of image $((n - 1))" "$status"
		done
		req GET "/v2/shared/r$((n % 3))/manifests/t$n"
		expect_status 404 "image $n is deleted"
	done
done
left() {
	make_old
	[ "$(find "$STORE/docker/registry/v2/blobs" -type f |
	    wc -l)" -eq 18 ]
}
check 'the rest goes' wait_until 30 left
check 'the store is sound' sound

# ---- the docker client -------------------------------------------------------

stop_registryd
REGISTRYD_PID=
for pid in $PIDS; do
	stop_pid "$pid"
done
PIDS=
rm -rf "$STORE"
CONF_REGISTRYD='  collect: {interval: 24h, grace: 30s, delay: 0s}'
start_registryd
start_dockerd
make_rootfs
app=$REGISTRY/team/app
check 'import' docker import -c 'CMD ["/bin/sh"]' "$T/rootfs.tar" "$app:1"
check 'push' docker push "$app:1"
pushed=$(sed -n 's/.*digest: \(sha256:[0-9a-f]*\).*/\1/p' "$T/check.out")
req DELETE "/v2/team/app/manifests/$pushed"
expect_status 202 'its manifest is deleted'
make_old
check 'collection' collect
expect 'condemns layer, config and manifest' 3 \
    "$(collected '.blobs.condemned')"
docker tag "$app:1" "$app:2"
check 'push of the condemned' docker push "$app:2"
says 'no layer is sent again' 'already exists'
check 'collection again' collect
make_old
check 'and again' collect
docker rmi -f "$app:1" "$app:2" >/dev/null 2>&1
check 'pull' docker pull "$app:2"
check 'the store is sound at the end' sound
