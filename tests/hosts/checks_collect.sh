#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154
#
# Sourced by checks.sh: collection on one host while the other serves.

collect_on() {
	ctl "$1" --json collect >"$T/collect-$1" 2>"$T/collect-$1.err" ||
	    want_status "a collection on $1"
}

# FILE: whether the server itself has the bytes, under their name.
stored() {
	hex=$(digest "$1")
	hex=${hex#sha256:}
	[ -e "$EXPORT/docker/registry/v2/blobs/sha256/$(echo "$hex" |
	    cut -c 1-2)/$hex/data" ]
}

condemned() {
	! stored "$1" && [ -n "$(find \
	    "$EXPORT/docker/registry/v2/blobs/sha256" -path "*/$hex/*" \
	    -name 'data.condemned.*')" ]
}

# What nobody refers to is condemned by one host, while the other has just
# had it in its hands and gets a manifest that names it.
begin_rounds
while next_round; do
	push_on "$one" collect "r$round"
	old=$manifest old_layer=$layer old_config=$config
	on "$one" DELETE "/v2/collect/manifests/$(digest "$manifest")"
	want_status 202
	sleep $((GRACE + 1))
	on "$two" GET "/v2/collect/blobs/$(digest "$layer")" -r 0-9
	want_status 206
	sleep $((GRACE + 1))
	collect_on one
	condemned "$old_layer" || want_status "the layer condemned"
	REGISTRY=$two push_manifest collect "r$round" "$old" ||
	    want_status 201
	stored "$old_layer" || want_status "the layer where it was"
	stored "$old_config" || want_status "the config where it was"
	collect_on one
	collect_on two
	for host in "$one" "$two"; do
		on "$host" GET "/v2/collect/blobs/$(digest "$old_layer")"
		want_status 200
		cmp -s "$T/body" "$old_layer" || want_status "right bytes"
	done
done
end_rounds "a condemned blob comes back for the other host's push"

begin_rounds
while next_round; do
	blob=$(make_blob 2000)
	REGISTRY=$one push_blob collect "$blob" || want_status 201
	on "$two" HEAD "/v2/collect/blobs/$(digest "$blob")"
	want_status 200
	sleep $((GRACE + 1))
	collect_on one
	condemned "$blob" || want_status "the blob condemned"
	on "$two" HEAD "/v2/collect/blobs/$(digest "$blob")"
	want_status 200
	stored "$blob" || want_status "it back"
	sleep $((GRACE + 1))
	collect_on one
	collect_on two
	on "$two" HEAD "/v2/collect/blobs/$(digest "$blob")"
	want_status 404
	on "$one" HEAD "/v2/collect/blobs/$(digest "$blob")"
	want_status 404
done
end_rounds "a blob comes back when it is asked for, then goes"

# ---- read-only -------------------------------------------------------------

begin_rounds
while next_round; do
	ctl one readonly on >/dev/null ||
	    want_status "readonly on"
	on "$two" POST /v2/up/blobs/uploads/
	want_status 405
	ctl one readonly off >/dev/null ||
	    want_status "readonly off"
	on "$two" POST /v2/up/blobs/uploads/
	want_status 202
done
end_rounds "readonly on one host holds on the other"

# ---- one at a time ---------------------------------------------------------

# Both begin at once, while both get pushes.
check_both_collect() {
	begin_rounds
	ctl one --json collect >"$T/collect-one" 2>"$T/collect-one.err" &
	first=$!
	ctl two --json collect >"$T/collect-two" 2>"$T/collect-two.err" &
	second=$!
	push_on "$one" both one
	first_manifest=$manifest
	push_on "$two" both two
	ran=0
	! wait "$first" || ran=$((ran + 1))
	! wait "$second" || ran=$((ran + 1))
	check "$OPTIONS: of two collections one runs" [ $ran -eq 1 ]
	check "$OPTIONS: and the other is told so" grep -q \
	    'another process is collecting' "$T/collect-one.err" \
	    "$T/collect-two.err"
	on "$two" GET /v2/both/manifests/one
	cmp -s "$T/body" "$first_manifest" || want_status "right bytes"
	on "$one" GET /v2/both/manifests/two
	cmp -s "$T/body" "$manifest" || want_status "right bytes"
	end_rounds "pushes while both want to collect"
	ctl two --json collect >"$T/collect-two" 2>&1
	check "$OPTIONS: later the other one collects" [ $? -eq 0 ]
}
