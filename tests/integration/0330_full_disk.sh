#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A full disk, for real: a small file system of its own.  What clients are
# told, what goes on, and that all is well again when there is room.
cd "$(dirname "$0")" && . ./lib.sh && . ./clients.sh

is_root || skip "mounting needs root"
mkdir -p "$STORE"
mount -t tmpfs -o size=16m,mode=750,uid=62001,gid=62001 registryd "$STORE" ||
    die "cannot mount a tmpfs"
reserve=$STORE/.registryd/reserve

size_is() {
	[ "$(stat -c %s "$1")" -eq "$2" ]
}

for durability in full batch; do
	CONF_REGISTRYD="  durability: $durability"
	start_registryd
	check "$durability: a reserve is kept" size_is "$reserve" 262144
	make_image a/b t >/dev/null || die "cannot push an image"

	# ---- too large, with its length and without --------------------------

	large=$(make_blob 20000000)
	small=$(make_blob 100000)
	req POST /v2/a/b/blobs/uploads/
	session=$(header Location)
	req PATCH "$session" -T "$small"
	expect_status 202 "$durability: a part that fits"
	req PATCH "$session" -T "$large"
	expect_status 507 "$durability: a part that cannot fit"
	req PATCH "$session" -T - <"$large"
	expect_status 507 "$durability: a part that does not fit"
	expect_code UNAVAILABLE
	req GET "$session"
	expect_header Range 0-99999 "$durability: the offset is true"
	used=$(du -sk "$STORE" | cut -f 1)
	check "$durability: the room is given back" [ "$used" -lt 3000 ]
	req PATCH "$session" -T "$small"
	expect_status 202 "$durability: the session goes on"
	cat "$small" "$small" >"$T/twice"
	req PUT "$(location_with "digest=$(digest "$T/twice")")"
	expect_status 201 "$durability: and is finished"

	# ---- full ----

	head -c 20000000 /dev/zero >"$STORE/filler" 2>/dev/null
	req POST /v2/a/b/blobs/uploads/
	[ "$status" = 202 ] &&
	    req PUT "$(location_with "digest=$(digest "$small")")" -T "$small"
	expect_status 507 "$durability: a push to a full disk"
	printf '{"schemaVersion":2,"config":%s,"layers":[]}' "$(descriptor \
	    application/vnd.oci.image.config.v1+json "$config")" >"$T/m.json"
	push_manifest a/b other "$T/m.json"
	expect_status 507 "$durability: a manifest"
	req GET /v2/a/b/manifests/t
	expect_status 200 "$durability: pulls go on: manifest"
	req GET "/v2/a/b/blobs/$(digest "$layer")"
	expect_status 200 "$durability: pulls go on: blob"
	refuse "$durability: skopeo" skopeo copy -q --src-tls-verify=false \
	    --dest-tls-verify=false --format v2s2 "docker://$REGISTRY/a/b:t" \
	    "docker://$REGISTRY/c/d:t"
	says "$durability: skopeo names the reason" \
	    'insufficient storage|no space left|507'
	for state in on off; do
		check "$durability: read-only is turned $state" \
		    "$BUILD/registryctl" -f "$T/registryd.yml" readonly $state
	done
	req DELETE /v2/a/b/manifests/t
	expect_status 202 "$durability: a tag is deleted"
	req DELETE "/v2/a/b/manifests/$made"
	expect_status 202 "$durability: a manifest is deleted"

	# ---- and not any more ----

	rm "$STORE/filler"
	check "$durability: an image, without a restart" make_image a/b t
	check "$durability: the reserve is there" size_is "$reserve" 262144
	req DELETE "/v2/a/b/manifests/$made"
	stop_registryd
done
