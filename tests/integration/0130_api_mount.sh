#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Mounting a blob of another repository (end-11), with and without the right
# to pull it there.
cd "$(dirname "$0")" && . ./lib.sh

start_registryd
blob=$(make_blob 5000)
D=$(digest "$blob")
check 'push the source' push_blob src/app "$blob"

mount() {
	req POST "/v2/$1/blobs/uploads/?$2"
}
mount dst "mount=$D&from=src/app"
expect_status 201 'end-11: mount'
expect_header Location "/v2/dst/blobs/$D"
expect_header Docker-Content-Digest "$D"
req GET "/v2/dst/blobs/$D"
check 'the bytes' cmp "$blob" "$T/body"
mount dst2 "from=src%2Fapp&mount=$D"
expect_status 201 'mount as docker writes it'
mount dst3 "mount=$D&from=src/app&origin=localhost%3A5000"
expect_status 201 'mount as crane writes it'

# What cannot be mounted becomes a session.
N=sha256:$(printf '0%.0s' $(seq 64))
for query in "mount=$N&from=src/app" "mount=$D&from=none" "mount=$D" \
    "mount=x&from=src/app" "mount=&from=src/app" "mount=$D&from=../app" \
    "mount=$D&from=host:5000/src/app" "mount=$D&from="; do
	mount fresh "$query"
	expect_status 202 "no mount: $query"
	check 'and a session' test -n "$(header Docker-Upload-UUID)"
	req HEAD "/v2/fresh/blobs/$D"
	expect_status 404 "nothing appears: $query"
done
req PUT "$(mount fresh "mount=$D" && location_with "digest=$D")" -T "$blob"
expect_status 201 'the session takes the upload'
mount fresh "mount=$D"
expect_status 201 'without from: it is there already'
mount fresh "mount=$D&from=none"
expect_status 201 'from nowhere: it is there already'
mount fresh "mount=$D&mount=$N&from=src/app"
expect_status 400 'two digests'
stop_registryd

# With tokens: without pull on the source, nothing tells that it is there.
start_authd
start_registryd
push='repository:alice/dst:pull,push'
TOKEN=$(token alice:alice-pw "$push" repository:src/app:pull)
mount alice/dst "mount=$D&from=src/app"
expect_status 202 'no right to the source'
mount alice/dst "mount=$D&from=no/such"
expect_status 202 'no right to what is not there'
req HEAD "/v2/alice/dst/blobs/$D"
expect_status 404 'nothing was mounted'
TOKEN=$(token admin:admin-pw "$push" repository:src/app:pull)
mount alice/dst "mount=$D&from=src/app"
expect_status 201 'with the right to pull'
TOKEN=
mount alice/dst "mount=$D&from=src/app"
expect_status 401
expect "the challenge names both" \
    "$push repository:src/app:pull" \
    "$(header WWW-Authenticate | sed 's/.*scope="\([^"]*\)".*/\1/')"
