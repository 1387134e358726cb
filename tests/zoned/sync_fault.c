// SPDX-License-Identifier: GPL-3.0-or-later
//
// Preloaded into the program: its n-th fdatasync fails with EIO, or the process is killed before or after it.
// SYNC_FAULT is `eio N`, `before N` or `after N`.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fdatasync(int fd) {
    static int count;
    static int (*real)(int);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    }
    const char *fault = getenv("SYNC_FAULT");
    char kind[16] = "";
    int place = 0;
    if (fault == NULL || sscanf(fault, "%15s %d", kind, &place) != 2 || ++count != place) {
        return real(fd);
    }
    if (strcmp(kind, "eio") == 0) {
        errno = EIO;
        return -1;
    }
    if (strcmp(kind, "after") == 0) {
        real(fd);
    }
    raise(SIGKILL);
    return -1;
}
