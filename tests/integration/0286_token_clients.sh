#!/bin/sh
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154
#
# docker, skopeo and podman with personal access tokens, robots and refresh
# tokens: what they keep of them, and what they say when one is revoked.
cd "$(dirname "$0")" && . ./lib.sh && . ./authd.sh && . ./clients.sh &&
    . ./tokens.sh
CONF_THROTTLE='{failures_per_source: 0, floor: 0s}'
CONF_AUTHD=$(vault_lines 'refresh_tokens: 24h')
start_authd
start_registryd
start_dockerd
make_rootfs
app=$REGISTRY/alice/app
docker import "$T/rootfs.tar" "$app:1" >/dev/null 2>&1 || die "docker import"

docker_auth() {
	jq -r ".auths[\"$REGISTRY\"].$1 // \"\"" "$DOCKER_CONFIG/config.json"
}

# ---- a personal access token ----

token=$(made -r 'alice/**:pull,push' alice)
check "docker login with a token" docker login -u alice -p "$token" "$REGISTRY"
expect "docker keeps it as a password" "alice:$token" \
    "$(docker_auth auth | base64 -d)"
check "docker push" docker push "$app:1"
check "docker pull" docker pull "$app:1"
expect "the audit names the token" \
    "$(id_of '.user == "alice"')" "$(field credential)"
ctl token revoke -u alice >/dev/null 2>&1
refuse "docker pull with a revoked token" docker pull "$app:1"
says "the reason" 'unauthorized|incorrect username or password|denied'
refuse "docker login with it" docker login -u alice -p "$token" "$REGISTRY"
says "the reason" 'incorrect username or password'

# ---- a refresh token ----

check "docker login with a password" docker login -u alice -p alice-pw \
    "$REGISTRY"
refresh=$(docker_auth identitytoken)
check "docker keeps a refresh token" expr "$refresh" : 'adf_'
refuse "and no password" sh -c \
    "jq -r '.auths[].auth' '$DOCKER_CONFIG/config.json' | base64 -d |
    grep -q alice-pw"
check "docker push with it" docker push "$app:1"
expect "the audit names it" "$(id_of '.kind == "refresh"')" \
    "$(field credential)"
check "skopeo reads docker's file and uses it" skopeo inspect \
    --authfile "$DOCKER_CONFIG/config.json" --tls-verify=false \
    --format '{{.Digest}}' "docker://$app:1"
expect "the audit names it again" "$(id_of '.kind == "refresh"')" \
    "$(field credential)"
ctl token revoke -k refresh -u alice >/dev/null 2>&1
refuse "docker pull with a revoked one" docker pull "$app:1"
says "the reason" 'unauthorized|incorrect username or password|denied'

# ---- a robot ----

secret=$(ctl robot new -r 'alice/app:pull' deploy 2>/dev/null)
check "docker login as a robot" docker login -u 'robot$deploy' -p "$secret" \
    "$REGISTRY"
check "docker pull" docker pull "$app:1"
refuse "docker push" docker push "$app:1"
says "the reason" 'denied|insufficient|unauthorized'
check "skopeo as a robot" skopeo inspect --creds "robot\$deploy:$secret" \
    --tls-verify=false --format '{{.Digest}}' "docker://$app:1"
check "podman login as a robot" podman login --tls-verify=false \
    --authfile "$T/podman.json" -u 'robot$deploy' -p "$secret" "$REGISTRY"
