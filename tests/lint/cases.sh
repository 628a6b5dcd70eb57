#!/bin/sh
# SPDX-License-Identifier: ISC
#
# tests/authd_cases.txt: each number from 1 to 128 once and in order, and each
# test that it names is there.
set -u
cd "$(dirname "$0")/../.." || exit 1
table=tests/authd_cases.txt
LAST=128

found=$(
	grep -v '^#' $table | grep . | awk -F ' [|] ' -v last=$LAST '
		NF != 3 { print "not three fields: " $0; next }
		$1 != ++n { print "case " n " is not in its place"; n = $1 }
		$3 == "absent:" || $3 ~ /^absent: *$/ {
			print "case " $1 ": no reason"
		}
		END { if (n != last) print "the last case is " n }'
	grep -v '^#' $table | grep . | while IFS='|' read -r n _ tests; do
		case $tests in
		' absent: '*) continue ;;
		esac
		for test in $tests; do
			file=tests/${test%%:*}
			case $test in
			*:*) pattern="^${test##*:}(void" ;;
			*) pattern='' ;;
			esac
			git ls-files --error-unmatch "$file" \
			    >/dev/null 2>&1 && grep -q "$pattern" "$file" ||
			    echo "case ${n% }: there is no $test"
		done
	done
)
[ -z "$found" ] || { echo "$found"; exit 1; }
