#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: run.sh [CHECK...]
#
# "make lint": every check, each with its findings, and at the end which of
# them failed.
set -u
cd "$(dirname "$0")/../.." || exit 1
lint=tests/lint

scripts() {
	git ls-files '*.sh' .ci/run |
	    grep -Ev '^tests/(integration|bench|hosts)/' |
	    xargs shellcheck &&
	    git ls-files 'tests/integration/*.sh' 'tests/bench/*.sh' \
	    'tests/hosts/*.sh' |
	    xargs shellcheck -x -P tests/integration -S warning &&
	    git ls-files rc.d | xargs shellcheck -e SC1091,SC2034
}

manuals() {
	# Our pages refer to each other before they are installed.
	git ls-files '*.[1-8]' | xargs mandoc -Tlint -Wstyle |
	    grep -v 'referenced manual not found' && return 1
	return 0
}

# Where the compiler finds a system header.
header_path() {
	echo "#include <$1>" | ${CC:-cc} -M -x c - | tr ' ' '\n' |
	    grep "/$1\$"
}

# Only these two system headers matter to it: their macros make loops and
# types.  Callback parameters confuse its check of argument order.
cppcheck_all() {
	cppcheck --quiet --std=c11 --language=c -j "$(nproc)" \
	    --enable=warning,performance,portability --inline-suppr \
	    --error-exitcode=1 --suppress=missingInclude \
	    --suppress=funcArgOrderDifferent \
	    --include="$(header_path jansson.h)" \
	    --include="$(header_path sys/queue.h)" \
	    -D_GNU_SOURCE -I include common registryd authd tests/fuzz
}

# One compile command for each tree, as the build has them.
tidy() {
	flags=$(pkg-config --cflags libevent_core openssl jansson yaml-0.1)
	# shellcheck disable=SC2086
	for tree in common registryd authd; do
		git ls-files "$tree/*.c" |
		xargs -P "$(nproc)" -n 6 "$lint/tidy.sh" \
		    -iquote include -iquote "$tree" $flags -- || return 1
	done
}

failed=
check() {
	name=$1
	shift
	if "$@"; then
		echo "ok lint/$name"
	else
		echo "FAIL lint/$name"
		failed="$failed $name"
	fi
}

[ $# -gt 0 ] || set -- layers headers style commit_msg cases scripts manuals \
    cppcheck tidy
for name; do
	case $name in
	layers|headers|style|commit_msg|cases) check "$name" $lint/"$name".sh ;;
	cppcheck) check "$name" cppcheck_all ;;
	scripts|manuals|tidy) check "$name" "$name" ;;
	*) echo "run.sh: no check called $name" >&2; exit 2 ;;
	esac
done
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
