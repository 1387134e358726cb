/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * start FILE: what starting a program costs that opens a file, looks at it, prints and exits. scripts/bench links it
 * to the libraries that zoneio is linked to. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int main(int argc, char **argv) {
    struct stat st;
    const int fd = argc == 2 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0 || fstat(fd, &st) < 0) {
        return 1;
    }
    printf("%lld MiB\n", (long long)st.st_size >> 20);
    return 0;
}
