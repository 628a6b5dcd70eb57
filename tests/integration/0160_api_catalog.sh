#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The list of repositories: complete and in distribution's order, whatever
# the size of the pages.
cd "$(dirname "$0")" && . ./lib.sh

CONF_TOP='catalog: {maxentries: 50}'
start_registryd
req GET /v2/_catalog
expect_status 200 'an empty registry'
expect_json '. == {"repositories": []}'

want='a a/b a/b/c a-b a.b aa b'
printf '{"schemaVersion":2,"manifests":[]}' >"$T/index"
index=application/vnd.oci.image.index.v1+json
for name in b aa a/b/c a.b a a-b a/b; do
	push_manifest $name x "$T/index" $index || fail "push $name"
done
req GET /v2/_catalog
expect 'the order' "$want" "$(jq -r '.repositories|join(" ")' "$T/body")"
expect_no_header Link
for n in 1 2 3 4 6 7; do
	got='' next="/v2/_catalog?n=$n"
	while [ -n "$next" ]; do
		req GET "$next"
		got="$got $(jq -r '.repositories | join(" ")' "$T/body")"
		next=$(header Link | sed -n 's/^<\(.*\)>; rel="next"$/\1/p')
	done
	expect "pages of $n" "$want" "${got# }"
done
req GET '/v2/_catalog?n=2'
expect_header Link '</v2/_catalog?last=a%2Fb&n=2>; rel="next"'
req GET '/v2/_catalog?n=2&last=a/b'
expect_json '.repositories == ["a/b/c", "a-b"]'
req GET '/v2/_catalog?n=0'
expect_json '.repositories == []'
expect_no_header Link
req GET '/v2/_catalog?n=100000'
expect_status 200 'n above the maximum'
req GET '/v2/_catalog?n=x'
expect_status 400
expect_code PAGINATION_NUMBER_INVALID
stop_registryd

start_authd
start_registryd
req GET /v2/_catalog
expect_status 401
expect 'the scope' registry:catalog:* \
    "$(header WWW-Authenticate | sed 's/.*scope="\([^"]*\)".*/\1/')"
TOKEN=$(token alice:alice-pw 'registry:catalog:*')
req GET /v2/_catalog
expect_status 401 'not for alice'
TOKEN=$(token admin:admin-pw 'registry:catalog:*')
req GET /v2/_catalog
expect_status 200 'for admin'
