# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154
#
# For the tests of collection, after lib.sh: time that passes, runs, and a
# look at the store's files.
#
#   make_old [TIME]         everything in the store is an hour older
#   collect [OPTION]...     by registryctl; the report is in $T/collected
#   collected FILTER        a number of it
#   blob_file DIGEST        where its bytes are
#   sound                   registryctl fsck --strict finds nothing broken

make_old() {
	# Names may come and go meanwhile.
	find "$STORE" \( -path '*/.registryd/locks' -o \
	    -path '*/.registryd/control' \) -prune -o -type f \
	    -exec touch -c -d "${1:-1 hour ago}" {} + 2>/dev/null
	:
}

ctl() {
	"$BUILD/registryctl" -f "$T/registryd.yml" "$@"
}

collect() {
	ctl --json collect "$@" >"$T/collected" 2>"$T/collected.err"
}

collected() {
	jq -r ".. | objects | select(has(\"outcome\")) | $1" "$T/collected"
}

blob_file() {
	hex=${1#sha256:}
	echo "$STORE/docker/registry/v2/blobs/sha256/$(echo "$hex" |
	    cut -c 1-2)/$hex/data"
}

sound() {
	ctl fsck >"$T/fsck.out" 2>&1 || {
		cat "$T/fsck.out"
		return 1
	}
}
