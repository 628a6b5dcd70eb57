#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Several tags with one PUT (end-7b).
cd "$(dirname "$0")" && . ./lib.sh

start_registryd
D=$(make_image a first)
manifest=$(ls "$T"/manifest.*)

tags() {
	tr -d '\r' <"$T/head" | sed -n 's/^[Oo][Cc][Ii]-[Tt]ag: *//p' |
	    tr ', ' '\n\n' | sed '/^$/d' | sort | tr '\n' ' '
}
put() {
	push_manifest a "$D?$1" "$manifest"
}
put 'tag=1.2.3&tag=1.2&tag=1&tag=latest&tag=1'
expect_status 201 'end-7b: PUT with tags'
expect 'OCI-Tag' '1 1.2 1.2.3 latest ' "$(tags)"
for tag in 1 1.2 1.2.3 latest; do
	req HEAD "/v2/a/manifests/$tag"
	expect_header Docker-Content-Digest "$D" "tag $tag"
done
query=$(for i in $(seq 16); do printf 'tag=t%d&' "$i"; done)
put "$query"
expect_status 201 '16 tags'
expect '16 tags: OCI-Tag' 16 "$(tags | wc -w | tr -d ' ')"
put "${query}tag=t17"
expect_status 414 '17 tags'
for bad in .x '' 'a/b' 'a%0d%0aX:%20y'; do
	put "tag=good&tag=$bad"
	expect_status 400 "tag $bad"
	expect_code TAG_INVALID
done
req HEAD /v2/a/manifests/good
expect_status 404 'none of a refused request'
push_manifest a second?tag=third "$manifest"
expect_status 201 'a tag in the path'
expect 'no OCI-Tag' '' "$(tags)"
req HEAD /v2/a/manifests/third
expect_status 404 'the parameter goes with digests only'
stop_registryd

# As many as the limit can be set to.
CONF_REGISTRYD='  limits: {tags_per_put: 100}'
start_registryd
put "$(for i in $(seq 100); do printf 'tag=t%d&' "$i"; done)"
expect_status 201 '100 tags'
expect '100 tags: OCI-Tag' 100 "$(tags | wc -w | tr -d ' ')"
