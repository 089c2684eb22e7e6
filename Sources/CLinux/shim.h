// Headers of the C library that Swift's Glibc module leaves out.
#include <getopt.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
