#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Who may what, seen by curl: challenges, tokens of authd, and answers.
cd "$(dirname "$0")" && . ./lib.sh

start_authd
start_registryd

TOKEN=
req GET /v2/
expect_status 401 "GET /v2/ without a token"
expect_header WWW-Authenticate \
    "Bearer realm=\"http://$AUTHD/token\",service=\"registry.test\"" \
    "the challenge of GET /v2/"
expect_header Docker-Distribution-Api-Version registry/2.0
expect_code UNAUTHORIZED

req GET /v2/alice/app/tags/list
expect_status 401 "a repository without a token"
challenge="Bearer realm=\"http://$AUTHD/token\",service=\"registry.test\""
expect_header WWW-Authenticate \
    "$challenge,scope=\"repository:alice/app:pull\"" "the challenge of a pull"
req POST /v2/alice/app/blobs/uploads/
expect_header WWW-Authenticate \
    "$challenge,scope=\"repository:alice/app:pull,push\"" \
    "the challenge of a push"

req GET "http://$AUTHD/token?service=registry.test" -u alice:wrong
expect_status 401 "a wrong password"
expect_json '.errors[0].code == "UNAUTHORIZED"' "wrong password: the code"
expect_json '.errors[0].message == "incorrect username or password"' \
    "wrong password: the text"
req GET "http://$AUTHD/token?service=registry.test" -u alice:alice-pw
expect_status 200 "the right password"
expect_json '.token and .expires_in > 0' "a token and its lifetime"
req GET "http://$AUTHD/token?service=elsewhere" -u alice:alice-pw
expect_status 400 "a service that is not ours"
req POST "http://$AUTHD/token" -d grant_type=password -d service=registry.test \
    -d username=alice -d password=alice-pw -d client_id=test \
    --data-urlencode scope=repository:alice/app:pull,push
expect_status 200 "a token by POST"
expect_json '.access_token' "POST: access_token"

# ---- what a token opens ----------------------------------------------------

TOKEN=$(token alice:alice-pw repository:alice/app:pull,push)
make_image alice/app 1 >/dev/null
expect_status 201 "push with the right token"
req GET /v2/
expect_status 200 "GET /v2/ with a token"
req GET /v2/alice/app/manifests/1
expect_status 200 "pull with the right token"
req DELETE /v2/alice/app/manifests/1
expect_status 401 "delete without that right"
challenge2="$challenge,scope=\"repository:alice/app:delete\""
expect_header WWW-Authenticate "$challenge2,error=\"insufficient_scope\"" \
    "insufficient scope: the challenge"
req GET /v2/alice/other/tags/list
expect_status 401 "another repository"
req GET /v2/_catalog
expect_status 401 "the catalog"

TOKEN=$(token alice:alice-pw repository:bob/app:pull,push)
req GET /v2/bob/app/tags/list
expect_status 401 "a token that grants nothing"
TOKEN=$(token alice:alice-pw repository:team/app:pull,push,delete)
make_image team/app 1 >/dev/null
expect_status 201 "the rule of a group"
req DELETE /v2/team/app/manifests/1
expect_status 401 "a group without delete"
TOKEN=$(token alice:alice-pw repository:alice/app:delete)
req DELETE /v2/alice/app/manifests/1
expect_status 202 "delete with that right"

TOKEN=$(token admin:admin-pw registry:catalog:'*')
req GET /v2/_catalog
expect_status 200 "the catalog as admin"
expect_json '.repositories | index("team/app") != null' "the catalog's list"
TOKEN=$(token admin:admin-pw repository:public/app:pull,push)
make_image public/app 1 >/dev/null
expect_status 201 "push as admin"

# ---- nobody in particular --------------------------------------------------

TOKEN=$(token - repository:public/app:pull)
req GET /v2/public/app/manifests/1
expect_status 200 "anonymous pull where allowed"
TOKEN=$(token - repository:public/app:pull,push)
req POST /v2/public/app/blobs/uploads/
expect_status 401 "anonymous push"
TOKEN=$(token - repository:team/app:pull)
req GET /v2/team/app/manifests/1
expect_status 401 "anonymous pull where not allowed"

# ---- tokens that are none --------------------------------------------------

good=$(token alice:alice-pw repository:team/app:pull)
TOKEN=$good
req GET /v2/team/app/manifests/1
expect_status 200 "a good token"
TOKEN=${good%????}AAAA
req GET /v2/team/app/manifests/1
expect_status 401 "a signature that is wrong"
expect_header WWW-Authenticate \
    "$challenge,scope=\"repository:team/app:pull\",error=\"invalid_token\"" \
    "an invalid token: the challenge"
TOKEN=$(printf '{"alg":"none"}' | base64 | tr -d =).${good#*.}
req GET /v2/team/app/manifests/1
expect_status 401 "alg none"
TOKEN=nonsense
req GET /v2/
expect_status 401 "nonsense"
