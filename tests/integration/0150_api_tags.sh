#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The tags of a repository (end-8a), in pages (end-8b), in byte order.
cd "$(dirname "$0")" && . ./lib.sh

CONF_TOP='tags: {maxtags: 20}'
start_registryd
D=$(make_image a 1.0)
manifest=$(ls "$T"/manifest.*)

req GET /v2/a/tags/list
expect_status 200 'end-8a: GET tags/list'
expect_header Content-Type application/json
expect_json '. == {"name": "a", "tags": ["1.0"]}'
expect_no_header Link
req HEAD /v2/a/tags/list
expect_status 200
req DELETE /v2/a/manifests/1.0
req GET /v2/a/tags/list
expect_json '.tags == []' 'no tags are a list too'
req GET /v2/none/tags/list
expect_status 404
expect_code NAME_UNKNOWN
expect_json '.errors[0].detail.name == "none"'

want='1 10 2 A B _ a a-b a.b ab b'
for tag in b a _ A 10 a.b 2 B a-b 1 ab; do
	push_manifest a "$tag" "$manifest"
	[ "$status" = 201 ] || fail "tag $tag"
done
req GET /v2/a/tags/list
expect 'byte order' "$want" "$(jq -r '.tags | join(" ")' "$T/body")"

# All pages of n, by following Link.
walk() {
	got='' next="/v2/a/tags/list?n=$1"
	while [ -n "$next" ]; do
		req GET "$next"
		[ "$(jq '.tags | length' "$T/body")" -le "$1" ] ||
		    fail "n=$1: too many"
		got="$got $(jq -r '.tags | join(" ")' "$T/body")"
		next=$(header Link | sed -n 's/^<\(.*\)>; rel="next"$/\1/p')
	done
	expect "end-8b: pages of $1" "$want" "${got# }"
}
for n in 1 2 3 5 10 11 12; do
	walk $n
done
req GET '/v2/a/tags/list?n=2'
expect_header Link '</v2/a/tags/list?last=10&n=2>; rel="next"'
req GET '/v2/a/tags/list?n=11'
expect_no_header Link
req GET '/v2/a/tags/list?last=a'
expect_json '.tags == ["a-b", "a.b", "ab", "b"]' 'last without n'
req GET '/v2/a/tags/list?n=2&last=a-'
expect_json '.tags == ["a-b", "a.b"]' 'last need not be a tag'
req GET '/v2/a/tags/list?last=zzz'
expect_json '.tags == []' 'behind the end'
req GET '/v2/a/tags/list?n=0'
expect_json '.tags == []' 'n=0'
expect_no_header Link

for n in 10000 2147483648 9223372036854775808 "$(printf '9%.0s' $(seq 99))"
do
	req GET "/v2/a/tags/list?n=$n"
	expect_status 200 "n=$n"
done
for n in -1 +5 1.5 ten '' 0x1 %201; do
	req GET "/v2/a/tags/list?n=$n"
	expect_status 400 "n=$n"
	expect_code PAGINATION_NUMBER_INVALID
done

# More than a page: the configured maximum holds for every n.
for i in $(seq 20); do
	query="${query:-}tag=t$i&"
	[ $((i % 10)) -ne 0 ] || {
		push_manifest a "$D?$query" "$manifest"
		query=
	}
done
req GET '/v2/a/tags/list?n=1000'
expect_json '.tags | length == 20' 'clamped'
expect_header Link '</v2/a/tags/list?last=t17&n=20>; rel="next"'
req GET /v2/a/tags/list
expect_json '.tags | length == 20' 'a page without n'
check 'and there are more' test -n "$(header Link)"
stop_registryd

# A list that is sent in pieces.
CONF_TOP=
start_registryd
long=$(printf 'x%.0s' $(seq 110))
for i in $(seq 100 399); do
	query="${query:-}tag=$long$i&"
	[ $((i % 15)) -ne 9 ] || {
		push_manifest a "$D?$query" "$manifest" || fail "tags to $i"
		query=
	}
done
req GET '/v2/a/tags/list?last=x'
expect_header Transfer-Encoding chunked
expect_json ".tags | length == 300 and .[0] == \"${long}100\" and
    .[299] == \"${long}399\"" '300 long tags'
req HEAD '/v2/a/tags/list?last=x'
expect_status 200 'HEAD of a long list'
req GET '/v2/a/tags/list?last=x' --http1.0
expect_json '.tags | length == 300' 'to an HTTP/1.0 client'
