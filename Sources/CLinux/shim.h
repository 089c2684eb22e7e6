// Headers of the C library that Swift's Glibc module leaves out.
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/vfs.h>

// Functions that the module hides, since it is read without _GNU_SOURCE.
extern int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *deadline);
extern ssize_t getdents64(int descriptor, void *buffer, size_t length);
extern int pthread_setname_np(pthread_t thread, const char *name);
