#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Tokens per second of authd, for a user whose credential is in the cache,
# with each kind of key; the client runs on the same machine.  The time of
# all processors that one token takes in authd tells more than the rate where
# the machine has other work to do.
#
# BENCH_SECONDS=5 is the time of each run, BENCH_CONNECTIONS=32.
cd "$(dirname "$0")/../integration" && . ./lib.sh

BENCH_SECONDS=${BENCH_SECONDS:-5}
LOG_LINES=${LOG_LINES:-5}

make_token_key
CONF_AUTHD="keys:"
for algorithm in es256 eddsa; do
	mkdir "$T/$algorithm"
	"$BUILD/authctl" key new -a "$algorithm" -o "$T/$algorithm" \
	    >"$T/authctl.log" 2>&1 || die "authctl key new -a $algorithm"
	CONF_AUTHD="$CONF_AUTHD
  - name: $algorithm
    key: $T/$algorithm/token.key
    certificate: $T/$algorithm/token.crt"
done
CONF_AUTHD="$CONF_AUTHD
limits: {requests: 1000000}
log: {level: ${BENCH_LOG:-info}}"
make_users
authd_conf >"$T/authd.yml"
cat >"$T/services" <<'CONF'
services:
  - {name: RS256}
  - {name: ES256, algorithm: ES256}
  - {name: EdDSA, algorithm: EdDSA}
CONF
sed -i -e "/^services:/{r $T/services" -e 'd;}' "$T/authd.yml"
start_authd "$T/authd.yml"

basic=$(printf 'alice:alice-pw' | base64)
size() {
	# shellcheck disable=SC2046
	pss $AUTHD_PID $(children "$AUTHD_PID")
}

# Ticks of the processors that authd has had.
ticks() {
	# shellcheck disable=SC2046
	for pid in $AUTHD_PID $(children "$AUTHD_PID"); do
		sed 's/.*) //' "/proc/$pid/stat"
	done | awk '{ n += $12 + $13 } END { print n }'
}

for service in RS256 ES256 EdDSA; do
	url="http://$AUTHD/token?service=$service"
	url="$url&scope=repository:alice/app:pull"
	curl -sS -f -o /dev/null -u alice:alice-pw "$url" ||
	    die "no token for $service"
	before=$(size) begin=$(ticks)
	wrk -t 1 -c "${BENCH_CONNECTIONS:-32}" -d "${BENCH_SECONDS}s" \
	    --latency -H "Authorization: Basic $basic" "$url" >"$T/wrk"
	! grep -q 'Non-2xx' "$T/wrk" || die "$(cat "$T/wrk")"
	used=$((($(ticks) - begin) * 1000000 / $(getconf CLK_TCK)))
	awk -v service="$service" -v before="$before" -v after="$(size)" \
	    -v used="$used" '
		/ requests in / { n = $1 }
		/^Requests\/sec/ { rate = $2 }
		$1 == "99%" { slow = $2 }
		END {
			printf "%-6s %8d tokens/s, 99%% within %s, " \
			    "%d us of authd each, %d -> %d KiB\n", service, \
			    rate, slow, used / n, before, after
		}' "$T/wrk"
done
