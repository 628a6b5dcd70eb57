/* SPDX-License-Identifier: ISC */
/*
 * The conversation: modules ask for the password once, maybe for the name,
 * and tell things that nobody reads.  Runs in the PAM helper.
 */
#include "cred_pam.h"

#include <stdlib.h>
#include <string.h>

#include "secret.h"

#define MAX_MESSAGES	32		/* PAM_MAX_NUM_MSG */

/* One message; -1 with *error when it cannot be answered. */
static int
reply(struct cred_pam_conv *conv, int style, char **text, int *error)
{
	const char	*from = NULL;

	switch (style) {
	case PAM_PROMPT_ECHO_OFF:
		/* A code, or a new password: nobody is there to type it. */
		if (conv->answered || conv->password == NULL) {
			conv->refused = true;
			*error = PAM_CONV_ERR;
			return -1;
		}
		conv->answered = true;
		from = conv->password;
		break;
	case PAM_PROMPT_ECHO_ON:
		from = conv->user;
		break;
	case PAM_ERROR_MSG:
	case PAM_TEXT_INFO:
		return 0;
	default:
		*error = PAM_CONV_ERR;
		return -1;
	}
	if ((*text = strdup(from)) == NULL) {
		*error = PAM_BUF_ERR;
		return -1;
	}
	return 0;
}

int
cred_pam_conv(int n, const struct pam_message **messages,
    struct pam_response **responses, void *appdata)
{
	struct pam_response	*made;
	int			 error = PAM_SUCCESS, i;

	*responses = NULL;
	if (n < 1 || n > MAX_MESSAGES)
		return PAM_CONV_ERR;
	if ((made = calloc((size_t)n, sizeof(*made))) == NULL)
		return PAM_BUF_ERR;
	for (i = 0; i < n; i++)
		if (reply(appdata, messages[i]->msg_style, &made[i].resp,
		    &error) == -1)
			break;
	if (error == PAM_SUCCESS) {
		*responses = made;
		return PAM_SUCCESS;
	}
	for (i = 0; i < n; i++) {
		if (made[i].resp != NULL)
			secret_wipe(made[i].resp, strlen(made[i].resp));
		free(made[i].resp);
	}
	free(made);
	return error;
}

void
cred_pam_delay(int status, unsigned usec, void *appdata)
{
	(void)status;
	(void)usec;
	(void)appdata;
}
