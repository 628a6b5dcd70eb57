# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154
#
# For the tests of authd alone, after lib.sh: requests to its endpoints and a
# look into the tokens.
#
#   ask WHO QUERY [CURL-OPTION]...   GET /token?QUERY, WHO user:password or -
#   post FIELD=VALUE... [-- CURL-OPTION...]    POST /token with such a form
#   claims FILTER                    of the token in the last answer, by jq
#   expect_access WANT [NAME]        "repository:a:pull,push ..." of its claim
#   expect_refused                   401 with challenge and body as promised
#   pids ROLE, answers CODE WHO [QUERY]
#   from ADDRESS CODE WHO            the same, said to come from there
#   requests N TAG WHO               N lines for token_client
#   ask_many PARALLEL                sends them: TAG STATUS SECONDS RETRY-AFTER
#   alike TAG TAG                    are the times in $T/times of one kind?

ask() {
	who=$1 query=$2
	shift 2
	[ "$who" = - ] || set -- -u "$who" "$@"
	req GET "http://$AUTHD/token${query:+?}$query" "$@"
	last="GET /token${query:+?}$query by ${who%%:*}"
}

post() {
	fields=$*
	for field; do
		shift
		[ "$field" = -- ] && break
		set -- "$@" --data-urlencode "$field"
	done
	req POST "http://$AUTHD/token" "$@"
	last="POST /token $fields"
}

token_part() {
	jq -r .token "$T/body" | cut -d . -f "$1" | tr '_-' '/+' |
	    base64 -d 2>/dev/null
}

claims() {
	token_part 2 | jq -r "$1"
}

expect_access() {
	expect "${2:-$last grants '$1'}" "$1" "$(claims '[.access[] |
	    "\(.type):\(.name):\(.actions | join(","))"] | join(" ")')"
}

bad_body() {
	printf '{"errors":[{"code":"UNAUTHORIZED","message":"%s"}],' "$1"
	printf '"error":"invalid_grant","error_description":"%s"}' "$1"
}

expect_refused() {
	expect_status 401
	expect_header WWW-Authenticate 'Basic realm="authd"'
	expect_header Cache-Control no-store
	expect "$last: body" \
	    "$(bad_body "${1:-incorrect username or password}")" \
	    "$(cat "$T/body")"
}

pids() {
	children "$AUTHD_PID" "-P $1 "
}

answers() {
	ask "$2" "${3:-}"
	[ "$status" = "$1" ]
}

from() {
	ask "$3" 'scope=repository:public/a:pull' -H "X-Forwarded-For: $1"
	[ "$status" = "$2" ]
}

requests() {
	who=$3
	[ "$who" = - ] || who=$(printf %s "$who" | base64 -w 0)
	yes "$2 $who -" | head -n "$1"
}

ask_many() {
	timeout 60 "$BUILD/tests/integration/token_client" "${AUTHD##*:}" "$1"
}

# Kolmogorov and Smirnov: is the distance of A and B below the one that two
# equal distributions exceed in one of a hundred cases?
alike() {
	for tag in "$1" "$2"; do
		grep "^$tag " "$T/times" | cut -d ' ' -f 3 |
		    sed "s/\$/ $tag/"
	done | sort -n | awk -v a="$1" -v b="$2" '
		$2 == a { na++ }
		$2 == b { nb++ }
		{ line[NR] = $2 }
		END {
			for (i = 1; i <= NR; i++) {
				line[i] == a ? fa++ : fb++
				d = fa / na - fb / nb
				d = d < 0 ? -d : d
				max = d > max ? d : max
			}
			limit = 1.628 * sqrt((na + nb) / (na * nb))
			printf "distance %.3f, limit %.3f\n", max, limit
			exit !(na > 0 && nb > 0 && max < limit)
		}'
}
