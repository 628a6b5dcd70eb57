#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154
#
# Sourced by checks.sh: uploads that move between hosts, and what keeps two
# hosts from changing the same thing at the same time.

begin_rounds
a=$(make_blob 100000) b=$(make_blob 50000)
cat "$a" "$b" >"$T/both"
while next_round; do
	on "$one" POST "/v2/up/r$round/blobs/uploads/"
	want_status 202
	on "$two" PATCH "$(header Location)" -T "$a" \
	    -H 'Content-Range: 0-99999'
	want_status 202
	on "$one" GET "$(header Location)"
	[ "$(header Range)" = 0-99999 ] ||
	    want_status "100000 bytes and not $(header Range)"
	session=$(header Location)
	on "$one" PATCH "$session" -T "$b" -H 'Content-Range: 100000-149999'
	want_status 202
	on "$two" GET "$session"
	[ "$(header Range)" = 0-149999 ] ||
	    want_status "150000 bytes and not $(header Range)"
	on "$two" PUT "$(location_with "digest=$(digest "$T/both")")"
	want_status 201
	on "$one" GET "/v2/up/r$round/blobs/$(digest "$T/both")"
	want_status 200
	cmp -s "$T/body" "$T/both" || want_status "right bytes"
	on "$one" GET "$session"
	want_status 404
	swap
done
end_rounds "an upload that moves between hosts"

begin_rounds
while next_round; do
	on "$two" POST /v2/up/cancel/blobs/uploads/
	session=$(header Location)
	on "$one" GET "$session"
	want_status 204
	on "$one" DELETE "$session"
	want_status 204
	on "$two" PATCH "$session" -T "$a"
	want_status 404
	on "$two" GET "$session"
	want_status 404
	swap
done
end_rounds "an upload that the other has cancelled"

# ---- both at once ----------------------------------------------------------

on "$one" POST /v2/up/both/blobs/uploads/
session=$(header Location)
rm -f "$T/go"
(
	cat "$a"
	wait_until 60 test -e "$T/go"
	cat "$b"
) | curl -sS -m 90 -X PATCH -T - -o /dev/null -w '%{http_code}' \
    "http://$one$(path_of "$session")" >"$T/slow" 2>"$T/slow.log" &
slow=$!
# As its own host sees it: the server may not have the bytes yet.
holds() {
	for host in one two; do
		[ -z "$(as_user $host find \
		    "/mnt/$place/docker/registry/v2/repositories/up/both" \
		    -name data -size +90k)" ] || return 0
	done
	return 1
}
check "$OPTIONS: a writer that waits" wait_until 30 holds
on "$two" PATCH "$session" -T "$a"
expect_status 409 "$OPTIONS: a second writer on the other host"
on "$two" PUT "$session?digest=$(digest "$T/both")"
expect_status 409 "$OPTIONS: nor can it be finished there"
on "$two" DELETE "$session"
expect_status 409 "$OPTIONS: nor cancelled"
touch "$T/go"
wait "$slow"
expect "$OPTIONS: the first writer is not disturbed" 202 "$(cat "$T/slow")"
on "$two" PUT "$session?digest=$(digest "$T/both")"
expect_status 201 "$OPTIONS: finished on the other host"

# HOST TAG: who has waited too long for the lock of the manifest gets 503, where
# everything is emulated; clients try again.
put_tag() {
	for try in 1 2 3 4 5 6 7 8; do
		code=$(curl -sS -m 90 -o /dev/null -w '%{http_code}' -X PUT \
		    --data-binary "@$manifest" -H \
		    'Content-Type: application/vnd.oci.image.manifest.v1+json' \
		    "http://$1/v2/tags/manifests/$2" 2>>"$T/put.log")
		[ "$code" = 503 ] || break
	done
	echo "$code" >>"$T/codes"
}

begin_rounds
push_on "$one" tags a1
while next_round; do
	rm -f "$T/codes"
	puts=
	for n in 1 2 3 4; do
		put_tag "$one" "r$round-a$n" &
		puts="$puts $!"
		put_tag "$two" "r$round-b$n" &
		puts="$puts $!"
	done
	# shellcheck disable=SC2086
	wait $puts
	status=$(grep -c '^201$' "$T/codes")
	last="PUT of 8 tags: $(sort "$T/codes" | uniq -c | tr '\n' ' ')"
	want_status 8
	for host in "$one" "$two"; do
		on "$host" GET '/v2/tags/tags/list?n=100000'
		status=$(jq -r '.tags[]' "$T/body" | grep -c "^r$round-")
		want_status 8
	done
done
end_rounds "tags that are put on both hosts at once"

begin_rounds
REGISTRY=$one make_image races other >/dev/null
new=$(digest "$manifest") new_file=$manifest
while next_round; do
	push_on "$one" races moves
	old=$(digest "$manifest")
	curl -sS -m 60 -o /dev/null -X DELETE \
	    "http://$two/v2/races/manifests/$old" &
	deletes=$!
	REGISTRY=$one push_manifest races moves "$new_file" || want_status 201
	wait "$deletes"
	on "$two" GET /v2/races/manifests/moves
	[ "$(header Docker-Content-Digest)" = "$new" ] ||
	    want_status "the new one"
	swap
done
end_rounds "a tag that moves while its manifest is deleted"
