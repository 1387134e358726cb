/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * run_timed [-n TIMES] [-i FILE] [-r REPEAT] [-o pipe] COMMAND [ARGUMENT...]
 *
 * Runs a command TIMES times, one after the other, and prints one line of JSON about all of them: elapsed, user and
 * system seconds, the highest peak memory in KiB, how many bytes came out, and the first exit status that was not 0.
 *
 * The input is /dev/null, a file, or with -r that file so many times over, through a pipe. The output goes to /dev/null,
 * or into a pipe that is read and counted.
 *
 * It is in C and small because a new process shows the peak memory of the one that started it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *input = "/dev/null";
static long repeat = 0;
static int to_pipe = 0;

static void fail(const char *what) {
    fprintf(stderr, "run_timed: %s: %s\n", what, strerror(errno));
    exit(125);
}

static int open_or_fail(const char *path, int flags) {
    const int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) {
        fail(path);
    }
    return fd;
}

static void make_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) < 0) {
        fail("pipe");
    }
}

/* A child that writes the input over and over, until nobody reads any more. */
static pid_t start_feeder(int pipe_ends[2]) {
    const pid_t pid = fork();
    if (pid != 0) {
        return pid;
    }
    close(pipe_ends[0]);
    static char text[1 << 20];
    const int fd = open_or_fail(input, O_RDONLY);
    for (long round = 0; round < repeat; round++) {
        ssize_t got = 0;
        for (off_t at = 0; (got = pread(fd, text, sizeof(text), at)) > 0; at += got) {
            for (ssize_t done = 0; done < got;) {
                const ssize_t put = write(pipe_ends[1], text + done, (size_t)(got - done));
                if (put < 0) {
                    _exit(0);
                }
                done += put;
            }
        }
    }
    _exit(0);
}

static unsigned long long drain(int fd) {
    static char text[1 << 16];
    unsigned long long total = 0;
    ssize_t got = 0;
    while ((got = read(fd, text, sizeof(text))) > 0) {
        total += (unsigned long long)got;
    }
    return total;
}

static int run_once(char **command, struct rusage *used, unsigned long long *bytes) {
    int in[2] = {-1, -1};
    int out[2] = {-1, -1};
    pid_t feeder = -1;
    if (repeat > 0) {
        make_pipe(in);
        feeder = start_feeder(in);
        close(in[1]);
    } else {
        in[0] = open_or_fail(input, O_RDONLY);
    }
    if (to_pipe) {
        make_pipe(out);
    } else {
        out[1] = open_or_fail("/dev/null", O_WRONLY);
    }
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execvp(command[0], command);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    if (to_pipe) {
        *bytes += drain(out[0]);
        close(out[0]);
    }
    int status = 0;
    if (pid < 0 || wait4(pid, &status, 0, used) < 0) {
        fail(command[0]);
    }
    if (feeder > 0) {
        (void)waitpid(feeder, NULL, 0);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static double seconds_of(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char **argv) {
    long times = 1;
    int c = 0;
    while ((c = getopt(argc, argv, "+n:i:r:o:")) != -1) {
        switch (c) {
        case 'n': times = atol(optarg); break;
        case 'i': input = optarg; break;
        case 'r': repeat = atol(optarg); break;
        case 'o': to_pipe = strcmp(optarg, "pipe") == 0; break;
        default: return 125;
        }
    }
    if (optind == argc) {
        fprintf(stderr, "run_timed: no command\n");
        return 125;
    }
    double user = 0;
    double system_time = 0;
    long peak = 0;
    int status = 0;
    unsigned long long bytes = 0;
    struct timespec begin;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (long i = 0; i < times; i++) {
        struct rusage used;
        const int ended = run_once(argv + optind, &used, &bytes);
        status = status != 0 ? status : ended;
        user += seconds_of(used.ru_utime);
        system_time += seconds_of(used.ru_stime);
        peak = used.ru_maxrss > peak ? used.ru_maxrss : peak;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    const double elapsed = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    printf("{\"seconds\": %.9f, \"user\": %.6f, \"system\": %.6f, \"peak_kib\": %ld, \"bytes\": %llu, \"status\": %d}\n",
           elapsed, user, system_time, peak, bytes, status);
    return 0;
}
