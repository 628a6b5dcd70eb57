/* SPDX-License-Identifier: ISC */
/*
 * Fields of a worker's requests, checked as they are read: 0, or -1 when the
 * worker sent what no worker of ours sends.
 */
#ifndef KEEPER_MSG_H
#define KEEPER_MSG_H

#include "digest.h"
#include "msg.h"
#include "reference.h"

int	 keeper_get_repo(struct msg *, char dst[REPO_NAME_SIZE]);
int	 keeper_get_id(struct msg *, char dst[UPLOAD_ID_SIZE]);
int	 keeper_get_tag(struct msg *, char dst[TAG_SIZE]);
int	 keeper_get_digest(struct msg *, struct digest *);

#endif
