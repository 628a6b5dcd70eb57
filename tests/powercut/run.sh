#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: run.sh [powercut | distribution | selftest]
#
# Cuts power CUTS=200 times on each of FS="ext4 xfs btrfs", of DURABILITY="full
# batch" two thirds in the first and one in the second.  IMAGES=1 more cuts of
# each load are looked at, JOBS=2 machines run at a time, LOAD_MS=10000 is the
# longest load.  Garbage is collected all the time on each COLLECT=3rd disk
# (1: on all, 0: on none); each disk sees eight cuts.
#
# What was counted is printed each minute and at the end, and is kept in
# $BUILD/powercut/WHAT after each cut, with the logs: with RESUME=1 a campaign
# that was broken off goes on from there.  Exits 1 when anything was lost or
# broken, 2 when cuts are missing.
#
#   distribution	Debian's docker-registry instead, CUTS=20, to compare:
#			what it loses is not an error
#   selftest		durability none, CUTS=4, which must lose something
set -u

here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(cd "${BUILD:-$here/../../build}" && pwd) || exit 2
export BUILD
# shellcheck disable=SC1091
. "$here/../pool.sh"
what=${1:-powercut}
FS=${FS:-ext4 xfs btrfs}
IMAGES=${IMAGES:-1}
LOAD_MS=${LOAD_MS:-10000}
JOBS=${JOBS:-2}
DURABILITY=${DURABILITY:-full batch}
TRIES=3					# of a run that breaks off
EACH=4					# seconds a cut, by what was seen
PATH=$PATH:/usr/sbin:/sbin		# mkfs

case $what in
powercut) image='' server="-C ${COLLECT:-3}" cuts=200 ;;
distribution) image=-d server=-D DURABILITY=none cuts=20 ;;
selftest) image='' server='' DURABILITY=none cuts=4 ;;
*) echo "run.sh: $what?" >&2; exit 2 ;;
esac
cuts=${CUTS:-$cuts}
dir=$BUILD/powercut
out=$dir/$what
program=$BUILD/tests/powercut/powercut

mkdir -p "$dir" || exit 2
exec 9>"$dir/lock"
flock -n 9 || { echo "run.sh: another campaign runs in $dir" >&2; exit 2; }
[ -n "${RESUME:-}" ] || rm -rf "$out"
mkdir -p "$out" || exit 2
# What is added up is of one registryd.
cksum <"$BUILD/registryd" >"$out/registryd.new"
if [ -f "$out/registryd" ] &&
    ! cmp -s "$out/registryd" "$out/registryd.new"; then
	echo "run.sh: $out was counted with another registryd" >&2
	exit 2
fi
mv "$out/registryd.new" "$out/registryd"
# shellcheck disable=SC2086
"$here/build.sh" $image || exit 2

# FS DURABILITY CUTS, those that take longest first.
# shellcheck disable=SC2086
list() {
	set -- $DURABILITY
	parts=$# share=$cuts
	for durability in "$@"; do
		if [ $parts -eq 2 ]; then
			rest=$((cuts / 3))
			[ "$durability" = "$2" ] && share=$rest ||
			    share=$((cuts - rest))
		elif [ $parts -gt 2 ]; then
			share=$(((cuts + parts - 1) / parts))
		fi
		for fs in $FS; do
			echo "$fs $durability $share"
		done
	done
}

counted() {
	sed -n 's/^cuts //p' "$out/$1.totals" 2>/dev/null
}

# FS DURABILITY CUTS: go on where a run breaks off.
unit() {
	fs=${1%% *} share=${1##* }
	durability=${1#* }
	durability=${durability% *}
	name=$fs-$durability
	try=0
	while [ $try -lt $TRIES ]; do
		# shellcheck disable=SC2086
		attend "$program" $server -c "$share" -i "$IMAGES" \
		    -t "$LOAD_MS" -f "$fs" -d "$durability" \
		    -r "$out/$name.totals" "$dir" >>"$out/$name.log" 2>&1
		n=$(counted "$name")
		[ "${n:-0}" -lt "$share" ] || break
		try=$((try + 1))
		echo "broke off after ${n:-0} cuts" >>"$out/$name.log"
	done
}

# Of each file system and of all; the last line only with "all" as $1.
sum() {
	awk -v dir="$out" -v what="$what" -v only="$1" -v all=all '
		function say(fs, name,	i, modes, bad) {
			for (i = 1; i <= n; i++)
				if (index(runs[i], fs "-") == 1 || fs == all)
					by[fs, mode[i]] += cuts[i]
			for (i = 1; i <= nm; i++)
				modes = modes (i > 1 ? ", " : "") \
				    by[fs, m[i]] + 0 " " m[i]
			printf "%s %s: %d cuts (%s; %d while collecting, " \
			    "%d of recovery) on %d disks, %d more images, " \
			    "%d of %d writes not flushed, %d promises given, " \
			    "%d checked, %d collected: %d lost, " \
			    "%d came back, %d wrong, %d not served, " \
			    "%d uploads, %d fsck, %d not mountable, " \
			    "%d failed; %d odd%s\n", what, name, \
			    s[fs, "cuts"], modes, s[fs, "collecting"], \
			    s[fs, "recovery"], s[fs, "disks"], \
			    s[fs, "images"], s[fs, "unsafe"], \
			    s[fs, "writes"], s[fs, "acknowledged"], \
			    s[fs, "promises"], s[fs, "collected"], \
			    s[fs, "lost"], s[fs, "back"], s[fs, "wrong"], \
			    s[fs, "unserved"], s[fs, "upload"], \
			    s[fs, "fsck"], s[fs, "unmountable"], \
			    s[fs, "failed"], s[fs, "odd"], \
			    s[fs, "cuts"] < want[fs] ? "; " want[fs] - \
			    s[fs, "cuts"] " cuts to go" : ""
		}
		{
			runs[++n] = $1 "-" $2
			mode[n] = $2
			if (!($2 in known)) {
				known[$2] = 1
				m[++nm] = $2
			}
			if (!($1 in want))
				fss[++nf] = $1
			want[$1] += $3
			want[all] += $3
			file = dir "/" runs[n] ".totals"
			while ((getline line <file) > 0) {
				split(line, a, " ")
				s[$1, a[1]] += a[2]
				s[all, a[1]] += a[2]
				if (a[1] == "cuts")
					cuts[n] = a[2]
			}
			close(file)
		}
		END {
			for (i = 1; i <= nf && only != all; i++)
				say(fss[i], fss[i])
			say(all, "in all")
			found = s[all, "lost"] + s[all, "back"] + \
			    s[all, "wrong"] + s[all, "unserved"] + \
			    s[all, "upload"] + s[all, "fsck"] + \
			    s[all, "unmountable"] + s[all, "failed"]
			exit found > 0 ? 1 : s[all, "cuts"] < want[all] ? 2 : 0
		}' "$out/list"
}

tell() {
	sum all
}

stopped() {
	sum ''
	echo "broken off; RESUME=1 goes on"
}

list >"$out/list"
number=$(awk '{ n += $3 } END { print n }' "$out/list")
echo "$what: $number cuts, about" \
    "$((number * (1 + IMAGES) * EACH / JOBS / 60 + 1)) minutes," \
    "logs and totals in $out"
pool "$out" "$JOBS"
grep -h -A 30 FOUND "$out"/*.log
sum ''
rc=$?
case $what in
distribution) [ $rc -ne 2 ] || exit 2 ;;
selftest)
	if [ $rc -eq 1 ]; then
		echo "selftest: what durability none loses was seen"
	else
		echo "selftest: nothing was found: the test sees nothing"
		exit 1
	fi ;;
*) exit $rc ;;
esac
