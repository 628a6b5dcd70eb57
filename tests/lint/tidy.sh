#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: tidy.sh FLAG... -- FILE...	clang-tidy, with those compiler flags
#
# The static analyser and the checks that find bugs rather than taste.
set -u

checks='-*,clang-analyzer-*,bugprone-*,-bugprone-easily-swappable-parameters'
checks="$checks,-bugprone-reserved-identifier,-bugprone-narrowing-conversions"
checks="$checks,-bugprone-assignment-in-if-condition"
checks="$checks,-bugprone-macro-parentheses,-bugprone-branch-clone"
checks="$checks,-bugprone-implicit-widening-of-multiplication-result"
checks="$checks,-bugprone-suspicious-include"
checks="$checks,-clang-analyzer-security.insecureAPI.*"
# clang 14 takes every va_list that is a parameter for uninitialized
checks="$checks,-clang-analyzer-valist.Uninitialized"
# it does not see that a result from another file is never 0 for a failure
checks="$checks,-clang-analyzer-core.CallAndMessage"
checks="$checks,-clang-analyzer-core.UndefinedBinaryOperatorResult"
checks="$checks,-clang-analyzer-core.uninitialized.*"
# nor that <sys/queue.h> takes an element off its list before it is freed;
# the tests run under AddressSanitizer
checks="$checks,-clang-analyzer-unix.Malloc"

n=0
for word; do
	[ "$word" = -- ] && break
	n=$((n + 1))
done
flags=
while [ "$n" -gt 0 ]; do
	flags="$flags $1"
	shift
	n=$((n - 1))
done
shift
# shellcheck disable=SC2086
clang-tidy --quiet --warnings-as-errors='*' --checks="$checks" "$@" -- \
    -std=c11 -D_GNU_SOURCE -DVERSION='""' -DSYSCONFDIR='"/etc"' $flags \
    -isystem /usr/share/include/llhttp 2>/dev/null
