/* SPDX-License-Identifier: ISC */
/*
 * The virtual machine: started once, its state saved when it is ready, and
 * from then on begun anew from that state in a moment.  Its end is SIGKILL.
 */
#ifndef POWERCUT_GUEST_H
#define POWERCUT_GUEST_H

#include <stdbool.h>
#include <stdint.h>

struct disk;
struct guest;

/* dir has kernel/vmlinuz and initrd; name is for the files of its logs. */
struct guest	*guest_new(const char *dir, const char *name, struct disk *);
void		 guest_free(struct guest *);

/* 0, or -1 with a warning. */
int		 guest_boot(struct guest *, unsigned seconds);
int		 guest_save(struct guest *, const char *path);
int		 guest_restore(struct guest *, const char *path);
void		 guest_kill(struct guest *);

/* One command of guest.sh; false when it failed or took too long. */
bool		 guest_command(struct guest *, unsigned seconds,
		    const char *, ...)
		    __attribute__((__format__(printf, 3, 4)));
/* Begin one, and do not wait for it. */
void		 guest_begin(struct guest *, const char *, ...)
		    __attribute__((__format__(printf, 2, 3)));
/* What it said with the last command, lines that begin with "#". */
const char	*guest_said(const struct guest *);
/* On 127.0.0.1; connections go to port 5000 of the guest. */
uint16_t	 guest_port(const struct guest *);
bool		 guest_uses_kvm(void);

#endif
