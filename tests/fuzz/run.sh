#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: run.sh SECONDS [FUZZER...]	run the libFuzzer builds in $BUILD
#	 run.sh corpus FUZZER		print the directory of its seeds
#
# What libFuzzer finds new is kept in $BUILD/corpus, not in the tree; an
# input that fails is left in $BUILD/crash and named at the end.
set -u

dir=$(cd "$(dirname "$0")" && pwd)

# fuzz_authd_acl has its seeds in corpus/authd_acl or corpus/acl.
corpus() {
	for name in "${1#fuzz_}" "${1#fuzz_authd_}"; do
		if [ -d "$dir/corpus/$name" ]; then
			echo "$dir/corpus/$name"
			return
		fi
	done
	echo "$dir/corpus/${1#fuzz_}"
}

if [ "${1:-}" = corpus ]; then
	corpus "$2"
	exit 0
fi
seconds=${1:-60}
[ $# -eq 0 ] || shift
if [ $# -eq 0 ]; then
	for src in "$dir"/fuzz_*.c; do
		set -- "$@" "$(basename "$src" .c)"
	done
fi
failed=
for name; do
	mkdir -p "$BUILD/corpus/$name" "$BUILD/crash"
	echo "== $name, $seconds s"
	"$BUILD/tests/fuzz/$name" -max_total_time="$seconds" -timeout=10 \
	    -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix="$BUILD/crash/$name-" \
	    "$BUILD/corpus/$name" "$(corpus "$name")" || failed="$failed $name"
done
if [ -n "$failed" ]; then
	echo "failed:$failed; the inputs are in $BUILD/crash" >&2
	exit 1
fi
