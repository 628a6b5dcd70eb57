# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154
#
# For the tests of tokens and robots, after lib.sh and authd.sh.
#
#   vault_lines [LINE...]   "credentials:" with these lines, to print
#   ctl COMMAND...          authctl with the configuration of this test
#   made OPTION...          a new token, printed; what else it says is in
#                           $T/ctl.err
#   id_of JQ-FILTER         id of the listed token that it selects
#   field NAME              in the last audit line
#   reason TEXT             the last audit line gives it

VAULT=$T/vault

vault_lines() {
	printf 'credentials:\n  database: %s/credentials.db\n' "$VAULT"
	[ $# -eq 0 ] || printf '  %s\n' "$@"
	! is_root || echo '  user: "62016:62016"'
}

ctl() {
	"$BUILD/authctl" -f "${CTL_CONF:-$T/authd.yml}" "$@"
}

made() {
	ctl token new "$@" 2>"$T/ctl.err"
}

id_of() {
	ctl token list --json | jq -r "[.[] | select($1)][0].id"
}

audit_line() {
	grep -E 'msg="token (issued|refused)"' "$AUTHD_LOG" | tail -n 1
}

field() {
	audit_line | sed -n "s/.* $1=\"\{0,1\}\([^\" ]*\).*/\1/p"
}

has_reason() {
	audit_line | grep -qE "reason=\"?$1"
}

reason() {
	check "$last: the audit says: $1" wait_until 5 has_reason "$1"
}

# The vault's process.
vault_pid() {
	pids vault
}
