#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The collector removes uploads that nobody continues, and only those; and
# what crashes have left behind.
cd "$(dirname "$0")" && . ./lib.sh

CONF_STORAGE='  maintenance: {uploadpurging: {age: 1h, interval: 1s}}'
make_store
repositories=$STORE/docker/registry/v2/repositories
own=$STORE/.registryd
start_registryd

begin() {
	req POST "/v2/$1/blobs/uploads/"
	expect_status 202 "begin an upload in $1"
	location=$(header Location)
}
file_of() {
	echo "$repositories/$1/_uploads/${2##*/}"
}
make_old() {
	find "$1" -exec touch -d '2 hours ago' {} +
}

begin team/abandoned
old=$location
begin team/slow
begun=$location
begin team/young
young=$location
for location in "$old" "$begun" "$young"; do
	printf abc >"$T/part"
	req PATCH "$location" -T "$T/part"
	expect_status 202 "send a part"
done
# Begun long ago, but the last part has just come.
make_old "$(file_of team/slow "$begun")"
req PATCH "$begun" -T "$T/part"
expect_status 202 'go on with a slow one'

# What a kill leaves: a tree on its way out, a file never put in place.
mkdir -p "$own/trash/0123/a" "$own/tmp"
: >"$own/trash/0123/a/b"
: >"$own/tmp/stale"
: >"$own/tmp/fresh"
touch -d '2 days ago' "$own/tmp/stale"
! is_root || chown -R 62001:62001 "$own"
make_old "$(file_of team/abandoned "$old")"

check 'the abandoned upload is removed' \
    wait_log "$REGISTRYD_LOG" "in team/abandoned removed: abandoned"
gone() {
	[ ! -e "$1" ]
}
check 'its directory is gone' \
    wait_until 5 gone "$(file_of team/abandoned "$old")"
check 'the rest of a removal is swept' wait_until 5 gone "$own/trash/0123"
check 'a stale file is swept' wait_until 5 gone "$own/tmp/stale"
check 'a fresh file stays' test -e "$own/tmp/fresh"

req GET "$old"
expect_status 404 'the abandoned upload'
expect_code BLOB_UPLOAD_UNKNOWN
req GET "$begun"
expect_status 204 'the slow upload'
expect_header Range 0-5
req GET "$young"
expect_status 204 'the young upload'
digest=sha256:$(printf abcabc | sha256sum | cut -d ' ' -f 1)
req PUT "$begun?digest=$digest"
expect_status 201 'the slow upload ends well'
stop_registryd

# A dry run only says what it would do.
CONF_STORAGE='  maintenance:
    uploadpurging: {age: 1h, interval: 1s, dryrun: true}'
make_old "$(file_of team/young "$young")"
start_registryd
check 'a dry run tells' \
    wait_log "$REGISTRYD_LOG" 'team/young would be removed: abandoned'
req GET "$young"
expect_status 204 'a dry run leaves it'
