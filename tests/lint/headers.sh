#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Every header compiles alone, with the include path of its tree.
set -u
cd "$(dirname "$0")/../.." || exit 1
failed=0

for header in include/*.h registryd/*.h authd/*.h; do
	tree=${header%/*}
	flags=$(pkg-config --cflags libevent_core openssl jansson yaml-0.1)
	# shellcheck disable=SC2086
	${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only \
	    -iquote include -iquote "$tree" $flags \
	    -isystem /usr/share/include/llhttp \
	    -include "$header" -x c /dev/null || failed=1
done
exit $failed
