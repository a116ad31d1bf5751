#pragma once
#include <sys/resource.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#else
#include <fcntl.h>
#endif

/* New in libpq 17: marks a synchronization point without flushing. Weak, so that older libraries link too. */
#ifdef __linux__
extern int PQsendPipelineSync(PGconn *conn) __attribute__((weak));
#endif

/* Marks a synchronization point, without a system call of its own where libpq can do that. */
static inline int cpg_pipeline_sync(PGconn *conn) {
#ifdef __linux__
    if (PQsendPipelineSync) return PQsendPipelineSync(conn);
#endif
    return PQpipelineSync(conn);
}

/* A descriptor to wake a thread that waits in poll(): an eventfd, or a pipe where there is none. */
typedef struct { int read_end; int write_end; } cpg_wakeup;

static inline int cpg_wakeup_open(cpg_wakeup *wakeup) {
#ifdef __linux__
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    wakeup->read_end = descriptor;
    wakeup->write_end = descriptor;
    return descriptor < 0 ? -1 : 0;
#else
    int ends[2];
    if (pipe(ends) != 0) return -1;
    for (int i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    wakeup->read_end = ends[0];
    wakeup->write_end = ends[1];
    return 0;
#endif
}

static inline void cpg_wakeup_signal(cpg_wakeup wakeup) {
    uint64_t one = 1;
    ssize_t written = write(wakeup.write_end, &one, sizeof one);
    (void)written; /* A full pipe or counter means that the thread is awake already. */
}

static inline void cpg_wakeup_drain(cpg_wakeup wakeup) {
    uint64_t value[8];
#ifdef __linux__
    ssize_t got = read(wakeup.read_end, value, sizeof value);
    (void)got;
#else
    while (read(wakeup.read_end, value, sizeof value) > 0) {}
#endif
}

/* Whether a descriptor is among the last `count` that the process may have: the kernel gives the lowest free one. */
static inline int cpg_is_among_last(int fd, int count) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 0;
    return (rlim_t)fd + (rlim_t)count >= limit.rlim_cur;
}

static inline void cpg_wakeup_close(cpg_wakeup wakeup) {
    close(wakeup.read_end);
    if (wakeup.write_end != wakeup.read_end) close(wakeup.write_end);
}
