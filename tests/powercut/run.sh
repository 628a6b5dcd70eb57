#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: run.sh [powercut | distribution | selftest]
#
# Cuts power CUTS=200 times on each of FS="ext4 xfs btrfs", shared among
# DURABILITY="full batch"; IMAGES=1 more cuts of each load are looked at,
# JOBS=2 machines run at a time, LOAD_MS=10000 is the longest load.  COLLECT=1
# collects garbage all the time.  The last line has the sum; exits 1 when
# anything was lost or broken.
#
#   distribution	Debian's docker-registry instead, CUTS=20, to compare:
#			what it loses is not an error
#   selftest		durability none, CUTS=4, which must lose something
set -u

here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${BUILD:-$here/../../build}" && pwd) || exit 1
export BUILD
what=${1:-powercut}
FS=${FS:-ext4 xfs btrfs}
IMAGES=${IMAGES:-1}
LOAD_MS=${LOAD_MS:-10000}
JOBS=${JOBS:-2}
DURABILITY=${DURABILITY:-full batch}
dir=$BUILD/powercut
program=$BUILD/tests/powercut/powercut
PATH=$PATH:/usr/sbin:/sbin		# mkfs

case $what in
powercut) image='' server=${COLLECT:+-C} cuts=200 ;;
distribution) image=-d server=-D DURABILITY=none cuts=20 ;;
selftest) image='' server='' DURABILITY=none cuts=4 ;;
*) echo "run.sh: $what?" >&2; exit 2 ;;
esac

# shellcheck disable=SC2086
"$here/build.sh" $image || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
trap 'exit 1' HUP INT TERM

# shellcheck disable=SC2086
parts=$(set -- $DURABILITY; echo $#)
each=$(((${CUTS:-$cuts} + parts - 1) / parts))
for fs in $FS; do
	for durability in $DURABILITY; do
		echo "$fs $durability"
	done
done >"$out/list"
# shellcheck disable=SC2016
xargs -P "$JOBS" -L 1 sh -c '
	out=$1 server=$2; shift 2
	"$1" $server -c "$2" -i "$3" -t "$4" -f "$6" -d "$7" "$5" |
	    tee "$out/$6.$7"
' sh "$out" "$server" "$program" "$each" "$IMAGES" "$LOAD_MS" "$dir" \
    <"$out/list"
rm "$out/list"

# Each program's last line; one that has none did not get so far.
cat "$out"/* | awk -v runs="$(find "$out" -type f | wc -l)" '
	/ cuts, .* failed$/ {
		n++
		for (i = 2; i <= NF; i++)
			if ($i ~ /^[0-9]+$/) {
				key = $(i + 1)
				sub(/[,;]$/, "", key)
				sum[key] += $i
			}
	}
	END {
		found = sum["lost"] + sum["came"] + sum["wrong"] + \
		    sum["not"] + sum["upload"] + sum["fsck"] + sum["failed"]
		printf "powercut: %d cuts, %d more images, %d promises " \
		    "given, %d checked, %d collected: %d lost, " \
		    "%d came back, %d wrong, %d not served, " \
		    "%d uploads, %d fsck, %d failed; %d odd%s\n", \
		    sum["cuts"], sum["images"], sum["acknowledged"], \
		    sum["promises"], sum["collected"], sum["lost"], \
		    sum["came"], sum["wrong"], sum["not"], \
		    sum["upload"], sum["fsck"], sum["failed"], sum["odd"], \
		    n == runs ? "" : "; a run broke off"
		exit n != runs ? 2 : found > 0
	}'
rc=$?
case $what in
distribution) [ $rc -ne 2 ] ;;
selftest)
	if [ $rc -eq 1 ]; then
		echo "selftest: what durability none loses was seen"
	else
		echo "selftest: nothing was found: the test sees nothing"
		exit 1
	fi ;;
*) [ $rc -eq 0 ] ;;
esac
