// Headers of the C library that Swift's Glibc module leaves out.
#include <getopt.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

// Swift takes C's mutable globals for shared state and refuses them; these read the ones of getopt_long.
static inline const char *getopt_argument(void) { return optarg; }
static inline int getopt_letter(void) { return optopt; }
static inline int getopt_index(void) { return optind; }
