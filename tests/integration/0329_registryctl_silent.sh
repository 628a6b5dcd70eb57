#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A registryd that is there and does not answer: registryctl says so soon, and
# does not wait for as long as a collection may take.
cd "$(dirname "$0")" && . ./lib.sh && . ./registryctl.sh

LIMIT=45				# seconds; registryctl's are 30

# asks NAME COMMAND...: in the background; its results are in $T/NAME.*
asks() {
	name=$1
	shift
	(
		ctl "$@" >"$T/$name.out" 2>"$T/$name.err" </dev/null
		echo $? >"$T/$name.rc"
	) &
}

ended() {
	[ -s "$T/$1.rc" ]
}

# gave_up NAME: with the status for that, a reason, and no result
gave_up() {
	[ "$(cat "$T/$1.rc")" = 3 ] && [ ! -s "$T/$1.out" ] &&
	    grep -q 'registryd: no answer for 30 s: its collector is' \
	    "$T/$1.err" && return
	cat "$T/$1.rc" "$T/$1.out" "$T/$1.err"
	return 1
}

start_registryd
make_image a v1 1000 >/dev/null
collector=$(children "$REGISTRYD_PID" '-P collector ')
kill -STOP "$collector"
began=$(date +%s)
asks status status
asks repositories repository list
asks tags tag list a
asks uploads upload list
asks tag-remove tag remove a v2
asks upload-cancel upload cancel a 1234
asks remove repository remove b
asks readonly readonly off
asks collect collect --dry-run
SHORT='status repositories tags uploads tag-remove upload-cancel remove
    readonly'
for name in $SHORT; do
	wait_until "$LIMIT" ended "$name"
	check "$name: gives up" gave_up "$name"
done
took=$(($(date +%s) - began))
check "all of them in time ($took s)" [ "$took" -lt "$LIMIT" ]
for name in tag-remove upload-cancel remove readonly; do
	check "$name: says that it may still be done" \
	    grep -q 'and may still do what it was asked to' "$T/$name.err"
done
refuse 'a list does not' grep -q 'may still do' "$T/tags.err"
refuse 'a collection waits on' ended collect
kill -CONT "$collector"
check 'until it goes on' wait_until 30 ended collect
check 'and has its report' [ "$(cat "$T/collect.rc")" = 0 ]
check 'then all is well' exits 0 status
