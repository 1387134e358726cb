/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loop WHAT FILE COUNT [DEPTH]: the system calls of one row of scripts/bench, and nothing else.
 *
 *   pread, pwrite         COUNT requests of 4 KiB all over the first 64 MiB
 *   pread-prompt, pwrite-prompt   the same, each with a write of some bytes to /dev/null
 *   pwrite-sync           the same, each followed by fdatasync
 *   uring-read, -write    the same by io_uring with O_DIRECT, DEPTH in flight
 *   bulk-write            COUNT MiB of the byte 0xcd
 *   bulk-verify           COUNT MiB read and compared with the byte 0xcd */
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { block = 4096, blocks = 16384, chunk = 1 << 20 };

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* The same offsets as scripts/bench.d/rows.py draws. */
static off_t next_offset(void) {
    static unsigned state = 1;
    state = (state * 1103515245U + 12345U) & 0x7fffffffU;
    return (off_t)(state >> 8) % blocks * block;
}

static void *memory(size_t bytes) {
    void *data = aligned_alloc(block, bytes);
    if (data == NULL) {
        fail("memory");
    }
    return memset(data, 0xcd, bytes);
}

static void small(int fd, long count, int is_write, int sync, int prompt) {
    char *data = memory(block);
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (long i = 0; i < count; i++) {
        const off_t at = next_offset();
        if ((is_write ? pwrite(fd, data, block, at) : pread(fd, data, block, at)) != block) {
            fail("transfer");
        }
        if (sync && fdatasync(fd) < 0) {
            fail("fdatasync");
        }
        if (prompt && write(null, "zoneio> ", 8) != 8) {
            fail("/dev/null");
        }
    }
}

static void uring(int fd, long count, unsigned depth, int is_write) {
    struct io_uring ring;
    if (io_uring_queue_init(depth, &ring, 0) < 0) {
        fail("io_uring");
    }
    char *data = memory((size_t)depth * block);
    unsigned *spare = malloc(depth * sizeof(*spare));
    unsigned spares = depth;
    for (unsigned i = 0; i < depth; i++) {
        spare[i] = i;
    }
    long started = 0;
    long done = 0;
    while (done < count) {
        for (; started < count && spares > 0; started++) {
            struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
            const unsigned slot = spare[--spares];
            char *const place = data + (size_t)slot * block;
            const off_t at = next_offset();
            if (is_write) {
                io_uring_prep_write(sqe, fd, place, block, (unsigned long long)at);
            } else {
                io_uring_prep_read(sqe, fd, place, block, (unsigned long long)at);
            }
            sqe->user_data = slot;
        }
        if (io_uring_submit_and_wait(&ring, 1) < 0) {
            fail("submit");
        }
        struct io_uring_cqe *cqe;
        while (io_uring_peek_cqe(&ring, &cqe) == 0) {
            if (cqe->res != block) {
                fail("transfer");
            }
            spare[spares++] = (unsigned)cqe->user_data;
            io_uring_cqe_seen(&ring, cqe);
            done++;
        }
    }
}

static void bulk(int fd, long count, int verify) {
    char *data = memory(chunk);
    char *expected = memory(chunk);
    for (long i = 0; i < count; i++) {
        const off_t at = (off_t)i * chunk;
        if ((verify ? pread(fd, data, chunk, at) : pwrite(fd, data, chunk, at)) != chunk) {
            fail("transfer");
        }
        if (verify && memcmp(data, expected, chunk) != 0) {
            fprintf(stderr, "wrong data\n");
            exit(1);
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: loop WHAT FILE COUNT [DEPTH]\n");
        return 2;
    }
    const char *what = argv[1];
    const int is_uring = strncmp(what, "uring-", 6) == 0;
    const int fd = open(argv[2], O_RDWR | O_CLOEXEC | (is_uring ? O_DIRECT : 0));
    const long count = atol(argv[3]);
    if (fd < 0) {
        fail(argv[2]);
    }
    if (is_uring) {
        uring(fd, count, argc > 4 ? (unsigned)atoi(argv[4]) : 128, strcmp(what, "uring-write") == 0);
    } else if (strncmp(what, "bulk-", 5) == 0) {
        bulk(fd, count, strcmp(what, "bulk-verify") == 0);
    } else {
        small(fd, count, strncmp(what, "pwrite", 6) == 0, strcmp(what, "pwrite-sync") == 0, strstr(what, "-prompt") != NULL);
    }
    return 0;
}
