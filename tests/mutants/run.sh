#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: run.sh [NAME...]
#
# Each *.mut here is a mistake: "file" names a source, "old" and "new" are
# lines of it and what stands there instead, and "test" a program, and a test
# in it, that must then fail.  A mutant that no test fails on, and one whose
# old lines are no longer there exactly once, is a failure.  Nothing in the
# tree is changed: the one object is compiled and put into a copy of the
# library in $BUILD.
#
# "make mutant-tests" builds the tests, and leaves the commands that the tree
# is built with in $BUILD/mutants.env.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 1
# shellcheck source=/dev/null
. "${BUILD:?}/mutants.env"
: "${MUTANT_CC:?}" "${MUTANT_LINK:?}" "${MUTANT_LIBS:?}"
# Thousands of syncs: in memory where that is possible.
work=$(mktemp -d /dev/shm/mutants.XXXXXX 2>/dev/null) ||
    work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
LIMIT=120			# seconds for one test
caught=0 bad=0

# Replace the block of lines "old" in file $2 by "new", both from mutant $1.
mutate() {
	awk '
	FNR == NR {
		if ($0 == "old" || $0 == "new")
			part = $0
		else if (part == "old")
			old[++nold] = $0
		else if (part == "new")
			new = new $0 "\n"
		next
	}
	{ line[++n] = $0 }
	END {
		for (i = 1; i + nold - 1 <= n; i++) {
			for (j = 1; j <= nold && line[i + j - 1] == old[j]; j++)
				;
			if (j > nold) {
				at = i
				found++
			}
		}
		if (nold == 0 || found != 1)
			exit 1
		for (i = 1; i <= n; i++) {
			if (i == at)
				printf "%s", new
			if (i < at || i >= at + nold)
				print line[i]
		}
	}' "$1" "$2"
}

field() {
	sed -n "/^old\$/q; s/^$2 //p" "$1"
}

failed() {
	bad=$((bad + 1))
	echo "FAIL mutant $1: $2"
}

# The source keeps its place, so that "" includes find its neighbours.
build() {
	rm -rf "$work/mutant" && mkdir "$work/mutant" &&
	    mutate "$1" "$2" >"$work/mutant/${2##*/}" || return 1
	object=$work/mutant/$(basename "$2" .c).o
	library=${2%%/*}
	cp "$BUILD/obj/registryd.a" "$BUILD/obj/common.a" "$work/mutant" ||
	    exit 1
	$MUTANT_CC -w -iquote "${2%/*}" -c "$work/mutant/${2##*/}" \
	    -o "$object" 2>"$work/out" || return 2
	ar r "$work/mutant/$library.a" "$object" 2>>"$work/out" || return 2
}

# LIBRARIES PROGRAM [TEST]: does it fail, linked with those?  One that does
# not end in time says nothing.
passes() {
	wrap=
	eval "wrap=\${WRAP_${2##*/}:-}"
	# shellcheck disable=SC2086
	$MUTANT_LINK $wrap -o "$work/test" "$BUILD/obj/tests/$2.o" \
	    "$work/filter.o" "$1/registryd.a" "$1/common.a" $MUTANT_LIBS \
	    >"$work/out" 2>&1 || {
		cat "$work/out"
		echo "FAIL $2 does not link"
		exit 1
	}
	TMPDIR=$work TEST_FILTER=${3:-} timeout -k 5 "$LIMIT" "$work/test" \
	    >"$work/out" 2>&1
	result=$?
	if [ $result -ge 124 ] && [ $result -ne 134 ] && [ $result -ne 139 ]
	then
		echo "$2 ${3:-} did not end in $LIMIT s"
		return 0
	fi
	[ $result -eq 0 ]
}

# As it is, each test passes; else it would catch everything.
sound=
is_sound() {
	case "$sound" in
	*"<$*>"*) return 0 ;;
	esac
	if ! passes "$BUILD/obj" "$@" ||
	    ! grep -q '^\[  PASSED  \] [1-9]' "$work/out"; then
		tail -n 20 "$work/out"
		return 1
	fi
	sound="$sound<$*>"
}

one() {
	name=$(basename "$1" .mut)
	file=$(field "$1" file)
	test=$(field "$1" test)
	if ! [ -f "$file" ] || [ -z "$test" ]; then
		failed "$name" "names no file or no test"
		return
	fi
	build "$1" "$file"
	case $? in
	1) failed "$name" "its lines are not in $file, or more than once"
	    return ;;
	2) cat "$work/out"; failed "$name" "does not compile"
	    return ;;
	esac
	# shellcheck disable=SC2086
	is_sound $test || {
		failed "$name" "$test fails without it"
		return
	}
	# shellcheck disable=SC2086
	if passes "$work/mutant" $test; then
		failed "$name" "$test does not see it"
		return
	fi
	caught=$((caught + 1))
	echo "ok mutant $name: caught by $test"
}

if [ $# -eq 0 ]; then
	set -- "$here"/*.mut
else
	for name; do
		set -- "$@" "$here/$name.mut"
		shift
	done
fi
$MUTANT_CC -w -c "$here/filter.c" -o "$work/filter.o" || exit 1
for mutant; do
	one "$mutant"
done
echo "$caught caught, $bad failed"
[ "$bad" -eq 0 ] && [ "$caught" -gt 0 ]
