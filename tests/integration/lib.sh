# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC1007,SC2034
#
# What every integration test shares; a script begins with
#	cd "$(dirname "$0")" && . ./lib.sh
# and prints "ok NAME" or "FAIL NAME" for each check.  Leaving it stops
# what it started, by pid, shows the logs when a check failed, and exits 1.
#
#   start_authd, start_registryd        on a free port; $AUTHD, $REGISTRY are
#       localhost:PORT, $AUTHD_PID, $AUTHD_LOG, $REGISTRYD_PID,
#       $REGISTRYD_LOG.  registryd asks for tokens when authd was started.
#       Give a file name to use a config of your own; otherwise
#       $CONF_TOP, $CONF_HTTP, $CONF_STORAGE, $CONF_REGISTRYD, $CONF_AUTHD
#       hold lines for the top level or for that map; $CONF_THROTTLE is
#       authd's throttle, in one line.
#   stop_authd, stop_registryd          SIGTERM, and wait for the end
#   token USER:PASSWORD SCOPE...        print a token ("-": anonymous)
#   req METHOD PATH [CURL-OPTION]...    to $REGISTRY, with $TOKEN if set:
#       $status; header NAME prints a header; the body is in $T/body
#   expect_status N [NAME], expect_header NAME VALUE [NAME],
#   expect_no_header NAME, expect_code CODE, expect_json FILTER [NAME]
#   check NAME COMMAND..., refuse NAME COMMAND...
#   wait_until SECONDS COMMAND..., wait_log FILE PATTERN [SECONDS]
#   make_store_disk SIZE [OPTION...]    a file system of its own
#   make_blob BYTES                     print the name of a file of noise
#   digest FILE, push_blob REPO FILE, push_manifest REPO REF FILE [TYPE]
#   make_image REPO TAG [BYTES]         push one; print the digest, and set
#                                       $made where no subshell is in the way
#   rss PID, peak PID, pss PID...       in KiB
#   children PID [ROLE]

set -u
umask 022
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
unset XDG_RUNTIME_DIR REGISTRY_AUTH_FILE DOCKER_HOST DOCKER_CONFIG

TESTS=$(cd .. && pwd)
BUILD=${BUILD:-$TESTS/../build}
BUILD=$(cd "$BUILD" && pwd) || exit 1
T=$(mktemp -d "${TMPDIR:-/tmp}/registryd-test.XXXXXX") || exit 1
chmod 755 "$T"
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin

STORE=$T/store
CONF_TOP= CONF_HTTP= CONF_STORAGE= CONF_REGISTRYD= CONF_AUTHD=
# All clients are one source here.
CONF_THROTTLE='{failures_per_source: 0}'
TOKEN= AUTHD= REGISTRY= SCHEME=http AUTHD_SCHEME=http
AUTHD_PID= REGISTRYD_PID= PIDS= starting=
FAILURES=0
status= last=

# ---- results ---------------------------------------------------------------

ok() {
	echo "ok $1"
}

fail() {
	echo "FAIL $1${2:+: $2}"
	FAILURES=$((FAILURES + 1))
}

# For what this machine cannot do; never for what is not installed.
skip() {
	echo "skip ${0##*/}: $1"
	exit 0
}

# The test cannot go on: that is a failure, not a skip.
die() {
	fail "${0##*/}" "$*"
	exit 1
}

check() {
	name=$1
	shift
	if "$@" >"$T/check.out" 2>&1; then
		ok "$name"
	else
		fail "$name" "$(tail -n 3 "$T/check.out" | tr '\n' ' ')"
		return 1
	fi
}

refuse() {
	name=$1
	shift
	if "$@" >"$T/check.out" 2>&1; then
		fail "$name" "succeeded: $*"
		return 1
	else
		ok "$name"
	fi
}

# ---- starting and stopping -------------------------------------------------

wait_until() {
	ticks=$(($1 * 20))
	shift
	until "$@"; do
		[ "$ticks" -gt 0 ] || return 1
		ticks=$((ticks - 1))
		sleep 0.05
	done
}

log_has() {
	grep -Eq -- "$2" "$1" 2>/dev/null
}

wait_log() {
	wait_until "${3:-10}" log_has "$1" "$2"
}

is_gone() {
	! kill -0 "$1" 2>/dev/null
}

stop_pid() {
	[ -n "$1" ] || return 0
	kill -TERM "$1" 2>/dev/null || return 0
	wait_until "${2:-10}" is_gone "$1" || {
		fail "stop $1" "still there after ${2:-10} s"
		kill -KILL "$1" 2>/dev/null
	}
	wait "$1" 2>/dev/null
}

cleanup() {
	rc=$?
	trap - EXIT
	[ "$rc" -eq 0 ] || [ "$FAILURES" -gt 0 ] || {
		FAILURES=1
		echo "FAIL ${0##*/}: left with status $rc"
	}
	stop_registryd
	stop_authd
	for pid in $starting $PIDS; do
		stop_pid "$pid" 15
	done
	command -v on_exit >/dev/null && on_exit
	grep -lE 'ERROR: [A-Za-z]*Sanitizer|runtime error:' "$T"/*.log \
	    >"$T/sanitizer" 2>/dev/null &&
	    fail "no sanitizer complains" "$(cat "$T/sanitizer")"
	if [ "$FAILURES" -gt 0 ]; then
		for log in "$T"/*.log; do
			[ -f "$log" ] || continue
			echo "---- ${log##*/}"
			tail -n "${LOG_LINES:-40}" "$log"
		done
	fi
	if [ -n "${KEEP:-}" ]; then
		echo "kept: $T"
	else
		rm -rf "$T"
	fi
	[ "$FAILURES" -eq 0 ] || exit 1
	exit 0
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

is_root() {
	[ "$(id -u)" -eq 0 ]
}

# Start in the background, log in a file.  Sets $started.
background() {
	log=$1
	shift
	# Here, so that nobody takes the last run's lines for this one's.
	: >"$log"
	"$@" >>"$log" 2>&1 &
	started=$!
}

# Last port in "listening" lines, whatever the log format.
log_port() {
	sed -n '/listening/s/.*address[=": ]*[^ "]*:\([0-9][0-9]*\).*/\1/p' \
	    "$1" | tail -n 1
}

is_ready_or_gone() {
	log_has "$1" '(msg=|"msg":|"message":)"?ready' || is_gone "$2"
}

start_daemon() {
	daemon=$1 conf=$2 log=$3
	background "$log" "$BUILD/$daemon" -f "$conf"
	starting=$started
	PIDS="$PIDS $started"	# until the test knows it by its own name
	wait_until 20 is_ready_or_gone "$log" "$started" ||
	    die "$daemon is not ready after 20 s"
	is_gone "$started" && die "$daemon did not start"
	port=$(log_port "$log")
	[ -n "$port" ] || die "$daemon does not say where it listens"
	PIDS=${PIDS% *}
	starting=
}

make_token_key() {
	[ -f "$T/keys/token.key" ] && return
	mkdir -p "$T/keys"
	"$BUILD/authctl" key new -o "$T/keys" >"$T/authctl.log" 2>&1 ||
	    die "authctl key new"
}

# Users alice, bob, admin; the password is the name and "-pw".
make_users() {
	[ -f "$T/htpasswd" ] && return
	for user in alice bob admin; do
		echo "$user-pw" |
		    "$BUILD/authctl" passwd -p "$T/htpasswd" "$user" \
		    >>"$T/authctl.log" 2>&1 || die "authctl passwd $user"
	done
}

authd_conf() {
	cat <<-CONF
	listen: 127.0.0.1:0
	issuer: authd
	realm: authd
	services: [registry.test]
	token:
	  key: $T/keys/token.key
	  certificate: $T/keys/token.crt
	htpasswd: $T/htpasswd
	groups: {dev: [alice, bob]}
	access:
	  - {user: admin, repository: "**", actions: ["*"]}
	  - {user: admin, registry: catalog, actions: ["*"]}
	  - user: "*"
	    repository: "\${user}/**"
	    actions: [pull, push, delete]
	  - {group: dev, repository: "team/**", actions: [pull, push]}
	  - {user: "", repository: "public/**", actions: [pull]}
	  - {user: "*", repository: "public/**", actions: [pull]}
	CONF
	if is_root; then
		echo 'user: "62011:62011"'
		echo 'broker_user: "62012:62012"'
		echo 'verifier_user: "62013:62013"'
		echo 'signer_user: "62014:62014"'
	fi
	echo "throttle: $CONF_THROTTLE"
	[ -z "$CONF_AUTHD" ] || printf '%s\n' "$CONF_AUTHD"
}

start_authd() {
	make_token_key
	make_users
	[ $# -gt 0 ] || authd_conf >"$T/authd.yml"
	AUTHD_LOG=$T/authd.log
	start_daemon authd "${1:-$T/authd.yml}" "$AUTHD_LOG"
	AUTHD_PID=$started AUTHD=localhost:$port
}

registryd_conf() {
	cat <<-CONF
	version: 0.1
	storage:
	  filesystem: {rootdirectory: $STORE}
	  delete: {enabled: true}
	$CONF_STORAGE
	http:
	  addr: ${REGISTRYD_ADDR:-127.0.0.1:0}
	$CONF_HTTP
	CONF
	if is_root || [ -n "$CONF_REGISTRYD" ]; then
		echo "registryd:"
		printf '%s\n' "$CONF_REGISTRYD"
	fi
	if is_root; then
		echo '  user: "62001:62001"'
		echo '  worker_user: "62002:62002"'
	fi
	if [ -n "$AUTHD" ]; then
		cat <<-CONF
		auth:
		  token:
		    realm: $AUTHD_SCHEME://$AUTHD/token
		    service: registry.test
		    issuer: authd
		    rootcertbundle: $T/keys/token.crt
		CONF
	fi
	printf '%s\n' "$CONF_TOP"
}

make_store() {
	mkdir -p "$STORE"
	if is_root; then
		chown 62001:62001 "$STORE"
		chmod 750 "$STORE"
	fi
}

# $STORE is the root of an ext4 of that size, for on_exit to unmount.
make_store_disk() {
	mkdir -p "$STORE"
	truncate -s "$1" "$T/disk"
	shift
	mkfs.ext4 -q -F -m 0 -E root_owner=62001:62001 "$@" "$T/disk" ||
	    die "cannot make a file system"
	loop=$(losetup -f --show --direct-io=on "$T/disk") ||
	    die "no loop device"
	mount "$loop" "$STORE" || die "cannot mount it"
	losetup -d "$loop"		# as soon as it is unmounted
}

start_registryd() {
	make_store
	[ $# -gt 0 ] || registryd_conf >"$T/registryd.yml"
	REGISTRYD_LOG=$T/registryd.log
	start_daemon registryd "${1:-$T/registryd.yml}" "$REGISTRYD_LOG"
	REGISTRYD_PID=$started REGISTRY=localhost:$port
}

stop_registryd() {
	stop_pid "$REGISTRYD_PID" || fail "registryd ends well" "status $?"
	REGISTRYD_PID=
}

stop_authd() {
	stop_pid "$AUTHD_PID" || fail "authd ends well" "status $?"
	AUTHD_PID=
}

# ---- requests --------------------------------------------------------------

token() {
	who=$1
	shift
	for scope in "$@"; do
		set -- "$@" --data-urlencode "scope=$scope"
		shift
	done
	[ "$who" = - ] || set -- "$@" -u "$who"
	curl -sS -m 20 -G "$AUTHD_SCHEME://$AUTHD/token" \
	    --data-urlencode service=registry.test "$@" | jq -r .token
}

req() {
	last="$1 $2"
	method=$1 url=$2
	shift 2
	[ -z "$TOKEN" ] || set -- -H "Authorization: Bearer $TOKEN" "$@"
	if [ "$method" = HEAD ]; then
		set -- -I "$@"
	else
		set -- -X "$method" "$@"
	fi
	case $url in
	http://*|https://*) ;;
	*) url=$SCHEME://$REGISTRY$url ;;
	esac
	: >"$T/head"
	: >"$T/body"
	status=$(curl -sS -m "${REQ_TIMEOUT:-60}" --path-as-is -D "$T/head" \
	    -o "$T/body" -w '%{http_code}' "$@" "$url" 2>"$T/curl.err")
}

# The header's value of the last response of the exchange (not of a 100).
header() {
	tr -d '\r' <"$T/head" | awk -v want="$1" '
		/^HTTP\// { value = ""; next }
		{
			i = index($0, ":")
			if (tolower(substr($0, 1, i - 1)) == tolower(want)) {
				value = substr($0, i + 1)
				sub(/^[ \t]+/, "", value)
			}
		}
		END { print value }'
}

expect() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		fail "$1" "want '$2', got '$3'$(head -c 300 "$T/body" |
		    tr -c '[:print:]' ' ' | sed 's/^/; body: /')"
		return 1
	fi
}

expect_status() {
	expect "${2:-$last is $1}" "$1" "$status$(cat "$T/curl.err")"
}

expect_header() {
	expect "${3:-$last: $1}" "$2" "$(header "$1")"
}

expect_no_header() {
	expect "$last: no $1" "" "$(header "$1")"
}

expect_code() {
	expect "$last: $1" "$1" "$(jq -r '.errors[0].code' "$T/body" 2>&1)"
}

expect_json() {
	if jq -e "$1" "$T/body" >/dev/null 2>&1; then
		ok "${2:-$last: $1}"
	else
		fail "${2:-$last: $1}" "$(head -c 400 "$T/body")"
		return 1
	fi
}

# ---- images ----------------------------------------------------------------

make_blob() {
	file=$(mktemp "$T/blob.XXXXXX")
	head -c "$1" /dev/urandom >"$file"
	echo "$file"
}

digest() {
	echo "sha256:$(sha256sum "$1" | cut -d ' ' -f 1)"
}

# Continue a Location, relative or not, with one more parameter.
location_with() {
	where=$(header Location)
	case $where in
	*\?*) echo "$where&$1" ;;
	*) echo "$where?$1" ;;
	esac
}

push_blob() {
	req POST "/v2/$1/blobs/uploads/"
	[ "$status" = 202 ] || return 1
	req PUT "$(location_with "digest=$(digest "$2")")" -T "$2" \
	    -H 'Content-Type: application/octet-stream'
	[ "$status" = 201 ]
}

push_manifest() {
	req PUT "/v2/$1/manifests/$2" --data-binary "@$3" -H \
	    "Content-Type: ${4:-application/vnd.oci.image.manifest.v1+json}"
	[ "$status" = 201 ]
}

descriptor() {
	printf '{"mediaType":"%s","digest":"%s","size":%d}' "$1" \
	    "$(digest "$2")" "$(wc -c <"$2")"
}

make_image() {
	layer=$(make_blob "${3:-1000}")
	config=$(mktemp "$T/config.XXXXXX")
	manifest=$(mktemp "$T/manifest.XXXXXX")
	printf '{"architecture":"amd64","os":"linux","n":"%s"}' \
	    "$(digest "$layer")" >"$config"
	printf '{"schemaVersion":2,%s,"config":%s,"layers":[%s]}' \
	    '"mediaType":"application/vnd.oci.image.manifest.v1+json"' \
	    "$(descriptor application/vnd.oci.image.config.v1+json "$config")" \
	    "$(descriptor application/vnd.oci.image.layer.v1.tar "$layer")" \
	    >"$manifest"
	push_blob "$1" "$layer" && push_blob "$1" "$config" &&
	    push_manifest "$1" "$2" "$manifest" || return 1
	made=$(digest "$manifest")
	echo "$made"
}

# ---- processes -------------------------------------------------------------

# Resident size and its peak, in KiB.
rss() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"
}

peak() {
	awk '/^VmHWM:/ { print $2 }' "/proc/$1/status"
}

pss() {
	for pid; do
		cat "/proc/$pid/smaps_rollup"
	done | awk '/^Pss:/ { n += $2 } END { print n }'
}

# Pids of the children, or of those whose command line names the role.
children() {
	ps -o pid=,args= --ppid "$1" |
	    awk -v role="${2:-}" 'role == "" || index($0, role) { print $1 }'
}
