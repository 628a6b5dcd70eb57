#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: commit_msg.sh [RANGE]
#
# Subjects are "area: do x", lower case after the area, 72 characters at
# most, and the body says why.  By default what upstream does not have yet,
# or without one the last twenty commits.
set -u
cd "$(dirname "$0")/../.." || exit 1

if [ $# -gt 0 ]; then
	range=$1
elif git rev-parse -q --verify '@{upstream}' >/dev/null 2>&1; then
	range='@{upstream}..HEAD'
else
	range='-20 HEAD'
fi
areas='registryd|authd|common|tests|build|doc|etc|rc\.d'
bad=0
# shellcheck disable=SC2086
for commit in $(git rev-list --no-merges $range); do
	subject=$(git log -1 --format=%s "$commit")
	body=$(git log -1 --format=%b "$commit")
	printf '%s\n' "$subject" |
	    grep -Eq "^($areas)(, ($areas))*: [^A-Z].*[^.]$" &&
	    [ ${#subject} -le 72 ] && [ -n "$body" ] && continue
	echo "$(git log -1 --format=%h "$commit"): $subject"
	bad=1
done
exit $bad
