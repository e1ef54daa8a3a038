/* Moves the wall clock of one process by the seconds that stand in the file CLOCKSHIM names.
 *
 * The file is read at every call, so a process that lives sees jumps. Monotonic clocks go on, save
 * that seconds in the file CLOCKSHIM_SLEPT count for the clock that includes sleep, and for the wall. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long read_from(const char *variable) {
    const char *path = getenv(variable);
    char text[32] = {0};
    int handle = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (handle < 0) return 0;
    ssize_t got = read(handle, text, sizeof text - 1);
    close(handle);
    return got > 0 ? strtol(text, NULL, 10) : 0;
}

static long moved_by(void) {
    return read_from("CLOCKSHIM") + read_from("CLOCKSHIM_SLEPT");
}

int clock_gettime(clockid_t which, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int answer = real(which, at);
    if (answer == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
        at->tv_sec += moved_by();
    if (answer == 0 && which == CLOCK_BOOTTIME) at->tv_sec += read_from("CLOCKSHIM_SLEPT");
    return answer;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    static int (*real)(struct timeval *, void *);
    if (!real) real = dlsym(RTLD_NEXT, "gettimeofday");
    int answer = real(at, zone);
    if (answer == 0 && at) at->tv_sec += moved_by();
    return answer;
}

time_t time(time_t *into) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (into) *into = at.tv_sec;
    return at.tv_sec;
}
