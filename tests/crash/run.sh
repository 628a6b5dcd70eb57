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
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
trap 'exit 1' HUP INT TERM
broken=0

# Every call to the system that the store's wrapper makes must be one that
# these tests watch, or a new one would go untested.
known=" syscall openat fcntl close closedir fdopendir readdir pread pwrite
    fsync fdatasync syncfs sync_file_range renameat renameat2 linkat unlinkat
    mkdirat ftruncate fallocate posix_fallocate fstat fstatat flock futimens
    utimensat fchmod uname signal tee splice read "
unwatched() {
	nm -u "$BUILD/obj/registryd/sysfs.o" "$BUILD/obj/common/compat/fs.o" |
	    awk 'NF == 2 { print $2 }' |
	    grep -Ev '^(_|mem|str|compat_|sysfs_|snprintf|getenv)' |
	    while read -r name; do
		case $known in *[[:space:]]"$name"[[:space:]]*) ;;
		*) echo "$name" ;; esac
	    done
}

# Its output goes on, and its last line is kept.
play() {
	"$@" >"$out.now"
	rc=$?
	cat "$out.now"
	tail -n 1 "$out.now" >>"$out"
	rm -f "$out.now"
	grep -q '[0-9] failed$' "$out" || rc=1
	[ $rc -eq 0 ] || broken=1
}

new=$(unwatched)
[ -z "$new" ] || { echo "FAIL calls that are not watched: $new"; broken=1; }

case ${1:-} in
kill)
	for mode in full batch none; do
		play "$BUILD/tests/crash/crash_kill" -s "$step" $mode
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
		play "$BUILD/tests/crash/crash_errno" -s "$step" $mode
	done
	what="faults"
	;;
states)
	for mode in full batch; do
		play "$BUILD/tests/crash/crash_states" -s "$step" $mode
	done
	play "$BUILD/tests/crash/crash_states" -m
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
