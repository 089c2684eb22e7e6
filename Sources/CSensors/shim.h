#include <sensors/error.h>
#include <sensors/sensors.h>
#include <unistd.h>

// The library wants a handler of fatal errors (no memory left) that never returns; its own ends the program. This one
// keeps the thread for ever, which looks to the rest of the program as a chip that does not answer.
static inline void sensors_keep_thread(const char *procedure, const char *error) {
    (void)procedure;
    (void)error;
    for (;;) pause();
}
// Swift takes C's mutable globals for shared state and refuses them.
static inline void sensors_survive_fatal_errors(void) { sensors_fatal_error = sensors_keep_thread; }
