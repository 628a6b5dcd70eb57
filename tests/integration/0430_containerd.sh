#!/bin/sh
# SPDX-License-Identifier: ISC
#
# containerd's own client: pull, push, by tag and by digest, and what it says
# when it may not.  It asks for tokens by POST first.
cd "$(dirname "$0")" && . ./lib.sh && . ./clients.sh

start_authd
start_registryd
start_dockerd
make_rootfs
app=$REGISTRY/alice/app

ctr_() {
	ctr -a "$T/docker-exec/containerd/containerd.sock" -n test "$@"
}

TOKEN=$(token alice:alice-pw repository:alice/app:pull,push)
docker import "$T/rootfs.tar" "$app:1" >/dev/null || die "docker import"
docker login -u alice -p alice-pw "$REGISTRY" >/dev/null 2>&1 &&
    docker push "$app:1" >/dev/null || die "docker push"

check "pull" ctr_ images pull --plain-http -u alice:alice-pw "$app:1"
check "a token was asked for by POST" log_has "$AUTHD_LOG" \
    'method=POST .*useragent="?containerd'
check "tag" ctr_ images tag "$app:1" "$app:2"
check "push" ctr_ images push --plain-http -u alice:alice-pw "$app:2"
req GET /v2/alice/app/tags/list
expect_json '.tags == ["1", "2"]' "it is there"
refuse "a wrong password" ctr_ images pull --plain-http -u alice:wrong \
    "$app:2"
says "the reason" '401 Unauthorized|authorization failed|incorrect username'
refuse "another's repository" ctr_ images pull --plain-http -u bob:bob-pw \
    "$app:2"
says "the reason for that" \
    'insufficient_scope|authorization failed|401|denied'
refuse "without credentials" ctr_ images pull --plain-http "$app:2"
