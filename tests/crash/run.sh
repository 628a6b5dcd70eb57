#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: run.sh kill|errno|sites|states [STEP]
#
# A whole campaign, or with STEP a sample: every STEP-th point; JOBS of its
# parts at a time.  Counts are printed each minute and, by mode, at the end;
# the last line sums up: "N ..., M failed".  Exits 1 when something failed, 2
# when it was broken off.
#
# Parts that are done are kept in $BUILD/crash/KIND-STEP: with RESUME=1 a
# campaign that was broken off goes on with the others.
set -u
cd "$(dirname "$0")" || exit 2
BUILD=$(cd "${BUILD:-../../build}" && pwd) || exit 2
export BUILD
# shellcheck disable=SC1091
. ../pool.sh
step=${2:-1}
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
sample=50				# from this STEP on: nothing is kept
parts=$((jobs * 8))
[ "$step" -lt $sample ] || parts=$jobs

# Minutes of one processor, by what was seen.
case ${1:-} in
kill) what="kill points" takes=25 ;;
errno) what=faults takes=150 ;;
sites) what=faults takes=10 ;;
states) what="crash states" takes=25 ;;
*)
	echo "usage: run.sh kill|errno|sites|states [STEP]" >&2
	exit 2
	;;
esac

# Every call to the system that the store's wrapper makes must be one that
# these tests watch, or a new one would go untested; but for pipes, signals,
# the names of the system and of the kind of file system, and advice.
watched=$(sed -n 's/^__wrap_\([a-z0-9_]*\)(.*/ \1 /p' beneath.c)
others=" read splice pipe2 uname signal fstatfs posix_fadvise "
unwatched() {
	nm -u "$BUILD/obj/registryd/sysfs.o" \
	    "$BUILD/obj/common/compat"/fs*.o |
	    awk 'NF == 2 { print $2 }' |
	    grep -Ev '^(_|mem|str|compat_|sysfs_|snprintf|getenv)' |
	    while read -r name; do
		case $watched$others in *" $name "*) ;; *) echo "$name" ;; esac
	    done
}

new=$(unwatched)
if [ -n "$new" ]; then
	echo "FAIL calls that are not watched: $new"
	exit 1
fi

mkdir -p "$BUILD/crash" || exit 2
if [ "$step" -lt $sample ]; then
	out=$BUILD/crash/$1-$step
	[ -n "${RESUME:-}" ] || rm -rf "$out"
else
	out=$(mktemp -d) || exit 2
	trap 'rm -rf "$out"' EXIT
fi
mkdir -p "$out" || exit 2
# What is added up is of one program.
cat "$BUILD"/tests/crash/crash_* | cksum >"$out/programs.new"
if [ -f "$out/programs" ] &&
    ! cmp -s "$out/programs" "$out/programs.new"; then
	echo "run.sh: $out was counted with other programs" >&2
	exit 2
fi
mv "$out/programs.new" "$out/programs"

# PROGRAM ARGUMENTS..., shared out by scenarios.
share() {
	program=$1
	shift
	part=0
	while [ "$part" -lt "$parts" ]; do
		part=$((part + 1))
		echo "$BUILD/tests/crash/$program -p $part/$parts -s $step $*"
	done
}

list() {
	case $1 in
	kill)
		# Each is a start of registryd: a sample is of two requests.
		if [ "$step" -eq 1 ]; then
			echo ./strace.sh
		else
			echo ./strace.sh 60 push put
		fi
		share crash_kill full
		share crash_kill batch
		share crash_kill none
		;;
	errno)
		share crash_errno full
		share crash_errno batch
		;;
	sites)
		# Whole: what one scenario has shown another need not.
		for mode in full batch; do
			echo "$BUILD/tests/crash/crash_errno -u -s $step $mode"
		done
		;;
	states)
		# That it can fail is shown with the whole campaign only.
		[ "$step" -gt 1 ] || echo "$BUILD/tests/crash/crash_states -m"
		share crash_states full
		share crash_states batch
		share crash_states -b batch
		;;
	esac
}

# Where the output of a line goes.
name() {
	echo "$1" | sed "s|^[^ ]*/||; s|[^a-zA-Z0-9_.-]|_|g"
}

# A part that is done has its last line, which says what failed.
unit() {
	file=$out/$(name "$1")
	[ ! -f "$file" ] || return 0
	# shellcheck disable=SC2086
	attend $1 >"$file.now" 2>&1
	tail -n 1 "$file.now" | grep -q '[0-9] failed$' ||
	    echo "0 points of one part, broken off, 1 failed" >>"$file.now"
	mv "$file.now" "$file"
}

# By the mode that the last line of each part names, and in all.
sum() {
	find "$out" -name '*.now' -prune -o -type f ! -name 'list' \
	    ! -name 'programs*' ! -name 'pid.*' ! -name 'done.*' -print |
	    while read -r file; do
		tail -n 1 "$file"
	done | awk -v what="$what" -v all="$(wc -l <"$out/list")" \
	    -v by="$1" -v since="$since" -v now="$(date +%s)" '
		{
			mode = "other"
			for (i = 1; i < NF; i++)
				if ($i == "mode") {
					mode = $(i + 1)
					sub(",", "", mode)
				}
			if (!(mode in points))
				modes[++m] = mode
			points[mode] += $1
			failed[mode] += $(NF - 1)
			n += $1
			bad += $(NF - 1)
		}
		END {
			for (i = 1; i <= m && by; i++)
				printf "%s: %d, %d failed\n", modes[i],
				    points[modes[i]], failed[modes[i]]
			if (!by)
				printf "%d of %d parts after %d s: ", NR,
				    all, now - since
			printf "%d %s, %d failed\n", n, what, bad
			exit bad > 0 || n == 0
		}'
}

tell() {
	sum 0
}

stopped() {
	sum 0
	echo "broken off; RESUME=1 goes on"
}

list "$1" >"$out/list"
since=$(date +%s)
[ "$step" -ge $sample ] || echo "$1: about" \
    "$((takes / step / jobs + 1)) minutes; what is done is in $out"
pool "$out" "$jobs"
find "$out" -type f -exec grep -h -A 12 FAIL {} +
sum 1
