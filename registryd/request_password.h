/* SPDX-License-Identifier: ISC */
/*
 * The part of a request's life in which a verifier checks a password.
 */
#ifndef REQUEST_PASSWORD_H
#define REQUEST_PASSWORD_H

#include "api.h"

/*
 * Have the password of the grant checked; the callback comes when the
 * request knows the verdict and may be decided anew.
 */
enum step	 request_password_ask(struct api_request *,
		    void (*done)(struct api_request *));
/* 429: the address has guessed too often. */
enum step	 request_password_refuse(struct api_request *);
/* The client is gone.  Nothing happens when nothing is checked. */
void		 request_password_cancel(struct api_request *);

#endif
