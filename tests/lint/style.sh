#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What of the house style a machine can see: 80 columns, no trailing blanks,
# the SPDX line, files of at most 600 lines (1000 for tests) and functions of
# at most 80 (the body of a flat table or switch may be longer: "flat" in the
# comment above).
set -u
cd "$(dirname "$0")/../.." || exit 1

found=$(
	for file in $(git ls-files '*.c' '*.h' '*.sh' GNUmakefile 'rc.d/*' \
	    .ci/run); do
		expand "$file" | awk -v file="$file" '
			# a word such as a digest cannot be broken
			length($0) > 80 {
				for (i = 1; i <= NF && length($i) < 64; i++)
					;
				if (i > NF)
					print file ":" NR ": too long"
			}
			/[ \t]$/ { print file ":" NR ": trailing blanks" }
			END {
				most = file ~ /^tests\// ? 1000 : 600
				if (NR > most && file ~ /\.[ch]$/)
					print file ": " NR " lines"
			}'
		head -n 2 "$file" | grep -q SPDX-License-Identifier ||
		    [ "$file" = GNUmakefile ] || echo "$file: no SPDX line"
	done
	for file in $(git ls-files '*.c'); do
		awk -v file="$file" '
			/^\/\*/ { flat = 0 }
			/flat/ && /^( \*|\/\*)/ { flat = 1 }
			/^\{/ { open = NR }
			/^\}/ {
				if (open && NR - open > 80 && !flat)
					print file ":" open ": function of " \
					    NR - open " lines"
				open = flat = 0
			}' "$file"
	done
)
[ -z "$found" ] || { echo "$found"; exit 1; }
