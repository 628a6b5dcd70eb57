#!/bin/sh
# SPDX-License-Identifier: ISC
#
# registryctl: what it says of a directory, with and without a daemon, and
# how it refuses.
cd "$(dirname "$0")" && . ./lib.sh

ctl() {
	"$BUILD/registryctl" -f "$T/registryd.yml" "$@"
}
says() {
	want=$1
	shift
	ctl "$@" >"$T/out" || return 1
	printf '%b' "$want" | diff - "$T/out"
}
exits() {
	want=$1
	shift
	"$BUILD/registryctl" "$@" >"$T/out" 2>"$T/err"
	[ $? -eq "$want" ]
}

start_registryd
check 'an empty directory' says '' repository list
refuse 'tags of no repository' ctl tag list nowhere

make_image a-b v1 1000 >/dev/null
make_image a/b v2 1000 >/dev/null
make_image a/b v1 1000 >/dev/null
check 'repositories in the order of the catalog' \
    says 'a/b\na-b\n' repository list
for tag in v1 v2; do
	req HEAD "/v2/a/b/manifests/$tag"
	eval "$tag=\$(header Docker-Content-Digest)"
done
# shellcheck disable=SC2154
check 'tags with their digests' \
    says "v1 $v1\nv2 $v2\n" tag list a/b

req POST /v2/a/b/blobs/uploads/
expect_status 202 'begin an upload'
L=$(header Location)
head -c 2048 /dev/zero >"$T/part"
req PATCH "$L" -T "$T/part"
expect_status 202 'send a part'
ctl upload list >"$T/out"
check 'uploads' grep -Eq "^a/b ${L##*/} 2 KiB 20[0-9T:Z-]+$" "$T/out"

ctl status >"$T/out"
check 'status: repositories' grep -Eq '^repositories: +2$' "$T/out"
check 'status: tags' grep -Eq '^tags: +3$' "$T/out"
check 'status: uploads' grep -Eq '^uploads: +1, 2 KiB$' "$T/out"
check 'status: blobs' grep -Eq '^blobs: +[1-9]' "$T/out"

check 'fsck while it runs' ctl fsck --strict
stop_registryd
find "$STORE" | sort >"$T/before"
check 'without a daemon' says 'a/b\na-b\n' repository list
ctl status >/dev/null
find "$STORE" | sort >"$T/after"
check 'nothing is changed' cmp "$T/before" "$T/after"

check 'no command is a usage error' exits 2
check 'neither is an unknown one' exits 2 frobnicate
check 'a missing configuration' exits 3 -f "$T/none.yml" status
check 'a bad name' exits 2 -f "$T/registryd.yml" tag list ../../etc
check '--version' exits 0 --version
