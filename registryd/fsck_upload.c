/* SPDX-License-Identifier: ISC */
/*
 * Upload sessions in a check: their files, not what is in them.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "fsck_state.h"
#include "sysfs.h"

#define STARTED_MAX	64

struct session {
	bool		 has_data, has_started;
};

/* "2026-01-02T03:04:05Z", and whatever fraction another writer adds. */
static bool
started_ok(const char *text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	size_t i;

	for (i = 0; form[i] != '\0'; i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' :
		    text[i] != form[i])
			return false;
	return true;
}

static void
check_started(struct fsck *f, int dirfd, const char *name)
{
	struct stat st;
	size_t len;
	char *data;

	data = fsck_read_file(f, dirfd, name, STARTED_MAX, &st, &len);
	/* It is not synced: after a power cut it may be empty. */
	if (data != NULL && len > 0 && !started_ok(data))
		fsck_report(f, FSCK_UPLOAD_STARTED_MALFORMED, "%s", "");
	else if (data != NULL && len == 0)
		fsck_report(f, FSCK_UPLOAD_STARTED_MISSING, "empty");
	free(data);
}

static void
on_session_name(struct fsck *f, int dirfd, const char *name,
    unsigned char type, void *arg)
{
	struct session *session = arg;
	struct stat st;

	if (strcmp(name, "data") == 0) {
		session->has_data = true;
		if (fsck_is(f, type, DT_REG) &&
		    sysfs_stat(dirfd, name, &st) == 0)
			fsck_check_mode(f, &st);
	} else if (strcmp(name, "startedat") == 0) {
		session->has_started = true;
		if (fsck_is(f, type, DT_REG))
			check_started(f, dirfd, name);
	} else if (strcmp(name, "hashstates") != 0 &&
	    strcmp(name, "synced") != 0)
		fsck_unknown_name(f, name);
}

static void
on_session(struct fsck *f, int dirfd, const char *name, unsigned char type,
    void *arg)
{
	struct session session = { false, false };

	(void)arg;
	if (!upload_id_ok(name)) {
		fsck_report(f, FSCK_UPLOAD_NAME, "%s", "");
		return;
	}
	if (!fsck_is(f, type, DT_DIR) || fsck_directory(f, dirfd, name,
	    on_session_name, &session) != 0)
		return;
	fsck_count(f);
	f->report->uploads++;
	if (!session.has_data)
		fsck_report(f, FSCK_UPLOAD_DATA_MISSING, "%s", "");
	if (!session.has_started)
		fsck_report(f, FSCK_UPLOAD_STARTED_MISSING, "%s", "");
}

void
fsck_uploads(struct fsck *f, int dirfd)
{
	fsck_directory(f, dirfd, "_uploads", on_session, NULL);
}
