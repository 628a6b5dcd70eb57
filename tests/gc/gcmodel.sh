#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: gcmodel.sh quick | full
#
# Checks gcmodel.pml with spin, exhaustively: each scenario must hold, and
# each broken variant must be refuted by an assertion.  Prints one line for
# each; quick takes smaller instances and some of the variants.
set -u

here=$(cd "$(dirname "$0")" && pwd)
MEMORY=${MEMORY:-12000}		# MB at most, each
DEPTH=${DEPTH:-2000000}
CC=${CC:-cc}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
bad=0

# Build and run one instance; its output is in $work/out.
model() {
	rm -rf "$work/pan"
	mkdir "$work/pan" && cd "$work/pan" || exit 1
	spin -a "$@" "$here/gcmodel.pml" >"$work/out" 2>&1 &&
	    $CC $optimize -w -DSAFETY -DCOLLAPSE -DMEMLIM="$MEMORY" \
	    -o pan pan.c \
	    >>"$work/out" 2>&1 || return 1
	./pan -m"$DEPTH" -w"$table" >"$work/out" 2>&1
	cd "$here" || exit 1
}

figures() {
	awk '/states, stored/ { states = $1 }
	    /depth reached/ { sub(",", "", $6); depth = $6 }
	    /elapsed time/ { time = $4 }
	    END { printf "%d states, depth %d, %s s", states, depth, time }' \
	    "$work/out"
}

fail() {
	bad=1
	cat "$work/out"
	echo "FAIL gcmodel $1"
}

# Complete, and without an error.
holds() {
	name=$1
	shift
	model "-D$name" "$@" || { fail "$name: does not build"; return; }
	if grep -q 'errors: 0$' "$work/out" &&
	    ! grep -Eq 'max search depth|memory limit|out of memory' \
	    "$work/out"; then
		echo "ok gcmodel $name $*: holds ($(figures))"
	else
		fail "$name $*: does not hold"
	fi
}

refuted() {
	name=$1
	model "-D$1" "-D$2" -DNONCES=2 ||
	    { fail "$name: does not build"; return; }
	if grep -q 'assertion violated' "$work/out"; then
		echo "ok gcmodel $1 $2: refuted ($(figures))"
	else
		fail "$1 $2: broken, but not refuted"
	fi
}

case ${1:-} in
quick)
	table=18 optimize=-O0
	holds CHILD -DNONCES=2
	refuted CORE NO_RECHECK
	refuted CHILD LIVE_ONLY
	refuted LINKS NO_LINK_RECHECK
	;;
full)
	table=24 optimize=-O2
	holds CORE -DNONCES=2
	holds CORE
	holds LINKS
	holds SAME -DNONCES=2
	holds OWN -DNONCES=2
	holds UPLOADS
	holds MOUNTS -DNONCES=2
	holds DELETE -DNONCES=2
	holds CHILD
	holds RETAG
	holds READ
	holds LEASE -DNONCES=2
	refuted CORE NO_RECHECK		# references are not looked at again
	refuted CORE ONE_NONCE		# condemned names are not distinct
	refuted CORE LINK_FIRST		# link looked at before pending names
	refuted CORE ONE_PHASE		# what is not marked is unlinked at once
	refuted CORE MARK_FIRST		# marked before listing the condemned
	refuted LINKS NO_LINK_RECHECK	# bytes only
	refuted OWN IGNORE_ERRORS	# unreadable manifest refers to nothing
	refuted SAME PENDING_IGNORED	# pending name gone, link made
	refuted CHILD LIVE_ONLY		# condemned manifests refer to nothing
	refuted CHILD BY_PARTS		# three looks instead of one listing
	refuted DELETE DELETE_BY_CONDEMN
	refuted DELETE DELETE_ONE_PASS	# link first, then condemned names, once
	refuted DELETE NO_LOCK		# tags set beside a delete
	refuted DELETE NO_MARK		# it does not look for new ones
	refuted DELETE NO_TOUCH		# it is not told of new ones
	refuted RETAG NO_TAG_CHECK	# link not looked at after the tag
	refuted READ ONE_LOOK		# "absent" from two looks apart
	refuted LEASE NO_LEASE		# answer first
	refuted LEASE LIVE_LEASES_ONLY	# a condemned link's lease ignored
	refuted LEASE LEASE_LOST	# the older of two names is kept
	;;
*)
	echo "usage: gcmodel.sh quick | full" >&2
	exit 2
	;;
esac
exit $bad
