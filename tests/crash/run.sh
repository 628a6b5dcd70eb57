#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: run.sh kill|errno|states [STEP]
#
# A whole campaign, or with STEP a sample: every STEP-th point.  The last
# line sums up: "N ..., M failed".
set -u
cd "$(dirname "$0")" || exit 1
BUILD=$(cd "${BUILD:-../../build}" && pwd) || exit 1
export BUILD
step=${2:-1}
jobs=${CRASH_JOBS:-$(getconf _NPROCESSORS_ONLN)}
out=$(mktemp) || exit 1
trap 'rm -f "$out" "$out".*' EXIT
trap 'exit 1' HUP INT TERM
broken=0

# Every call to the system that the store's wrapper makes must be one that
# these tests watch, or a new one would go untested; but for pipes, signals
# and the name of the system.
watched=$(sed -n 's/^__wrap_\([a-z0-9_]*\)(.*/ \1 /p' beneath.c)
others=" read splice pipe2 uname signal "
unwatched() {
	nm -u "$BUILD/obj/registryd/sysfs.o" \
	    "$BUILD/obj/common/compat"/fs*.o |
	    awk 'NF == 2 { print $2 }' |
	    grep -Ev '^(_|mem|str|compat_|sysfs_|snprintf|getenv)' |
	    while read -r name; do
		case $watched$others in *" $name "*) ;; *) echo "$name" ;; esac
	    done
}

# Its output goes on, and its last line is kept.
play() {
	"$@" >"$out.now"
	rc=$?
	cat "$out.now"
	tail -n 1 "$out.now" >>"$out"
	tail -n 1 "$out.now" | grep -q '[0-9] failed$' || rc=1
	rm -f "$out.now"
	[ $rc -eq 0 ] || broken=1
}

# The scenarios are shared out to as many processes as there are processors.
share() {
	program=$1
	shift
	i=0 pids=
	while [ $i -lt "$jobs" ]; do
		i=$((i + 1))
		"$BUILD/tests/crash/$program" -p "$i/$jobs" "$@" \
		    >"$out.$i" &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || broken=1
	done
	while [ $i -gt 0 ]; do
		cat "$out.$i"
		tail -n 1 "$out.$i" >>"$out"
		tail -n 1 "$out.$i" | grep -q '[0-9] failed$' || broken=1
		rm -f "$out.$i"
		i=$((i - 1))
	done
}

new=$(unwatched)
[ -z "$new" ] || { echo "FAIL calls that are not watched: $new"; broken=1; }

case ${1:-} in
kill)
	for mode in full batch none; do
		share crash_kill -s "$step" $mode
	done
	# Each of these is a start of registryd: a sample is of two requests.
	if [ "$step" -eq 1 ]; then
		play ./strace.sh
	else
		play ./strace.sh 60 push put
	fi
	what="kill points"
	;;
errno)
	for mode in full batch; do
		share crash_errno -s "$step" $mode
	done
	what="faults"
	;;
states)
	for mode in full batch; do
		share crash_states -s "$step" $mode
	done
	share crash_states -b -s "$step" batch
	# That it can fail is shown with the whole campaign only.
	[ "$step" -gt 1 ] || play "$BUILD/tests/crash/crash_states" -m
	what="crash states"
	;;
*)
	echo "usage: run.sh kill|errno|states [STEP]" >&2
	exit 2
	;;
esac
awk -v what="$what" -v broken=$broken '{
		points += $1
		failed += $(NF - 1)
	}
	END {
		if (broken && failed == 0)
			failed = 1
		print points " " what ", " failed + 0 " failed"
	}' "$out"
[ $broken -eq 0 ]
