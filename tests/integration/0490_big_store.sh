#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A store of 20000 tags and 5000 repositories: registryd answers within a
# second of its start, and a page costs a page.
cd "$(dirname "$0")" && . ./lib.sh

# In memory where that can be: so many files take minutes on a busy disk.
shm=
room() {
	df "--output=$1" /dev/shm 2>/dev/null | tail -n 1
}
if [ "$(room iavail)" -gt 200000 ] && [ "$(room avail)" -gt 300000 ]; then
	shm=$(mktemp -d /dev/shm/registryd-test.XXXXXX)
	chmod 755 "$shm"
	STORE=$shm/store
fi
on_exit() {
	[ -z "$shm" ] || rm -rf "$shm"
}
make_store
repositories=$STORE/docker/registry/v2/repositories
one=sha256:$(printf one | sha256sum | cut -d ' ' -f 1)

mkdir -p "$repositories/big/_manifests/tags"
cd "$repositories/big/_manifests/tags" || exit 1
seq -f 't%05g/current' 20000 | xargs mkdir -p
for tag in t*; do
	printf %s "$one" >"$tag/current/link"
done
cd "$repositories" || exit 1
seq -f 'many/r%04g/_manifests/tags' 5000 | xargs mkdir -p
seq -f 'many/r%04g/_layers' 5000 | xargs mkdir -p
cd "$TESTS/integration" || exit 1
! is_root || chown -R 62001:62001 "$STORE"

begin=$(date +%s%N)
start_registryd
req GET '/v2/big/tags/list?n=10'
took=$((($(date +%s%N) - begin) / 1000000))
expect_status 200 "the first request"
if [ $took -lt 1000 ]; then
	ok "it answers $took ms after its start"
else
	fail "it answers after its start" "$took ms"
fi
expect_json '.tags == [range(1; 11) | tostring |
    "t" + ("00000" + .)[-5:]]' "a page of tags, in order"
expect_header Link '</v2/big/tags/list?last=t00010&n=10>; rel="next"'
req GET '/v2/big/tags/list?n=5&last=t19998'
expect_json '.tags == ["t19999", "t20000"]' "the last page"
expect_header Link "" "no page after the last"
req GET '/v2/_catalog?n=3&last=many/r4998'
expect_json '.repositories == ["many/r4999", "many/r5000"]' \
    "the last page of the catalog"
req GET '/v2/_catalog?n=2'
expect_json '.repositories == ["big", "many/r0001"]' \
    "the first page of the catalog"
