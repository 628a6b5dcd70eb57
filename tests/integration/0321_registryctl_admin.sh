#!/bin/sh
# SPDX-License-Identifier: ISC
#
# registryctl's lists, removals and read-only switch: through the control
# socket of a registryd that runs, and on the directory when none does.
cd "$(dirname "$0")" && . ./lib.sh && . ./registryctl.sh

shows() {
	want=$1
	shift
	ctl "$@" >"$T/out" 2>"$T/err" || { cat "$T/err"; return 1; }
	printf '%b' "$want" | diff - "$T/out"
}
state() {
	ctl status --json | jq -r "$1"
}

images() {
	for image in "$@"; do
		make_image "${image%:*}" "${image#*:}" 1000 >/dev/null
	done
}

# Everything that both ways must do alike; $1: which it is.
both() {
	check "$1: repositories" shows 'a\na/b\nc\n' repository list
	check "$1: as JSON" [ "$(ctl repository list --json |
	    jq -c .repositories)" = '["a","a/b","c"]' ]
	ctl tag list a >"$T/out"
	check "$1: tags" [ "$(cut -d ' ' -f 1 "$T/out" | tr '\n' ' ')" = \
	    'v1 v2 ' ]
	check "$1: a tag goes" exits 0 tag remove a v2
	check "$1: only that" [ "$(ctl tag list a --json |
	    jq -c '[.tags[].tag]')" = '["v1"]' ]
	check "$1: and not twice" exits 1 tag remove a v2
	check "$1: which it says" says 'v2: there is no such tag'
	check "$1: no such repository" exits 1 tag list nowhere
	check "$1: it says so" says 'nowhere: there is no such repository'
	check "$1: no such upload" exits 1 upload cancel a 1234
	check "$1: neither to remove" exits 1 repository remove nowhere
	check "$1: a repository goes" exits 0 repository remove a
	check "$1: not the one beneath it" shows 'a/b\nc\n' repository list
	check "$1: read-only" exits 0 readonly on
	check "$1: is shown" shows 'on\n' readonly
	check "$1: and again" exits 0 readonly on
	check "$1: then nothing is removed" exits 1 tag remove c v1
	check "$1: and how to go on" says 'registryctl readonly off'
	check "$1: nor collected" exits 1 collect
	check "$1: but seen what would be" exits 0 collect --dry-run
	check "$1: read-write" exits 0 readonly off
	check "$1: is shown too" shows 'off\n' readonly
	check "$1: status" exits 0 status
	check "$1: the store is right" exits 0 fsck --strict
}

start_registryd
images a:v1 a:v2 a/b:v1 c:v1
check 'a registryd that runs is found' [ "$(state .running)" = true ]
check 'with its processes' [ "$(state '.processes |
    "\(.workers) \(.keepers) \(.collectors)"')" = '2 2 1' ]
check 'its process' [ "$(state .parent)" = "$REGISTRYD_PID" ]
ctl -v repository list 2>"$T/err" >"$T/out"
check 'and -v says where' says 'asking the registryd at .*\.sock$'
both socket
no_trash() {
	[ -z "$(ls "$STORE/.registryd/trash")" ]
}
check 'what was removed is emptied soon' wait_until 10 no_trash

req POST /v2/c/blobs/uploads/
expect_status 202 'an upload begins'
L=$(header Location)
id=$(ctl upload list --json | jq -r '.uploads[0].upload')
ctl readonly on
req PATCH "$L" -d x
expect_status 405 'it is refused while read-only'
expect_code UNSUPPORTED
req PUT /v2/c/manifests/v9 -d '{}'
expect_status 405 'so is a manifest'
req GET /v2/c/manifests/v1
expect_status 200 'pulls go on'
rev=$STORE/docker/registry/v2/repositories/c/_manifests/revisions
link=$(find "$rev" -name link | head -n 1)
old=$link.condemned.0000000000000001.0000000000000002
mv "$link" "$old"
touch -d '2001-01-01' "$old"
req GET /v2/c/manifests/v1
expect_status 200 'so do those of what was condemned before'
check 'and nothing is written' [ "$(find "$old" -not -newermt 2001-01-02)" ]
mv "$old" "$link"
check 'status says so' [ "$(state .readonly)" = on ]
ctl readonly off
check 'the upload is cancelled' exits 0 upload cancel c "$id"
req PATCH "$L" -d x
expect_status 404 'and is gone'

# A page holds 4096 names.
many=$STORE/docker/registry/v2/repositories/many
seq 1 5203 | sed "s|.*|$many/r&/_layers|" | xargs mkdir -p
check 'long lists are whole' [ "$(ctl repository list | sort -u |
    grep -c '^many/')" -eq 5203 ]
rm -r "$many"

stop_registryd
images_again() {
	start_registryd
	images a:v1 a:v2
	stop_registryd
}
images_again
check 'without a registryd' [ "$(state .running)" = false ]
ctl -v repository list 2>"$T/err" >"$T/out"
check 'and -v says so' says 'no registryd at .*: working on '
both directory
if is_root; then
	check 'files belong to the owner' \
	    [ -z "$(find "$STORE" ! -user 62001)" ]
fi

# ---- what goes wrong ----
check 'no command' exits 2
check 'an unknown one' exits 2 frobnicate
check 'half of one' exits 2 tag
check 'too few arguments' exits 2 tag remove a
check 'too many' exits 2 repository list a
check 'a wrong option' exits 2 status --frobnicate
check 'a wrong state' exits 2 readonly maybe
check 'a bad name' exits 2 repository remove ../../etc
check 'a bad tag' exits 2 tag remove a /
check 'a bad id' exits 2 upload cancel a ../x
check 'no configuration' exits 3 -f "$T/none.yml" status
(
	ctl repository list
	echo $? >"$T/rc"
) 2>"$T/err" | true
wait_until 5 test -s "$T/rc"
# Short output may have been taken in before the end; never a signal.
check 'a closed pipe' grep -Eqx '0|3' "$T/rc"
full() {
	ctl status >/dev/full 2>"$T/err"
	[ $? -eq 3 ]
}
check 'no room for the output' full
if is_root; then
	as_nobody() {
		setpriv --reuid 65534 --regid 65534 --clear-groups \
		    "$BUILD/registryctl" -f "$T/registryd.yml" "$@" \
		    >"$T/out" 2>"$T/err"
		[ $? -eq 3 ]
	}
	chmod 644 "$T/registryd.yml"
	check 'no permission' as_nobody repository list
	check 'which it says' says 'run this as root or as the user of'
	chmod 755 "$STORE"
	check 'no permission to write' as_nobody readonly on
	check 'says who may' says 'belongs to user 62001'
	check 'and leaves nothing' [ ! -e "$STORE/.registryd/readonly" ]
	for command in fsck status usage readonly 'scrub --dry-run'; do
		# shellcheck disable=SC2086
		check "a stranger: $command" as_nobody $command
		check 'is told so, not of damage' \
		    says 'Permission denied: run this as root'
	done
fi
rm -r "$STORE"
check 'no directory' exits 3 repository list
