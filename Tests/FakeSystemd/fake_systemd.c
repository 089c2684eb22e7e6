#define _GNU_SOURCE
#include "fake_systemd.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

struct fake_systemd {
    pthread_t thread;
    pthread_mutex_t lock;
    int listener;
    int isStopping;
    enum fake_systemd_mode mode;
    char *lines;
    int more;
    int counts[3];
};

static void count(fake_systemd *fake, enum fake_systemd_call call) {
    pthread_mutex_lock(&fake->lock);
    fake->counts[call]++;
    pthread_mutex_unlock(&fake->lock);
}

static enum fake_systemd_mode mode(fake_systemd *fake) {
    pthread_mutex_lock(&fake->lock);
    enum fake_systemd_mode mode = fake->mode;
    pthread_mutex_unlock(&fake->lock);
    return mode;
}

static int is_stopping(fake_systemd *fake) {
    pthread_mutex_lock(&fake->lock);
    int result = fake->isStopping;
    pthread_mutex_unlock(&fake->lock);
    return result;
}

static int append_unit(sd_bus_message *reply, const char *id, const char *active, const char *sub) {
    char path[4096] = "/org/freedesktop/systemd1/unit/";
    size_t length = strlen(path);
    for (const char *byte = id; *byte && length + 4 < sizeof path; byte++) {
        char letter = *byte | 0x20;
        int isPlain = (*byte >= '0' && *byte <= '9') || (letter >= 'a' && letter <= 'z');
        length += snprintf(path + length, sizeof path - length, isPlain ? "%c" : "_%02x", (unsigned char)*byte);
    }
    return sd_bus_message_append(
        reply, "(ssssssouso)", id, "A unit", "loaded", active, sub, "", *id ? path : "/", 0u, "", "/");
}

static int append_units(fake_systemd *fake, sd_bus_message *reply) {
    pthread_mutex_lock(&fake->lock);
    char *lines = strdup(fake->lines ? fake->lines : "");
    int more = fake->more;
    pthread_mutex_unlock(&fake->lock);
    int result = sd_bus_message_open_container(reply, 'a', "(ssssssouso)");
    char *rest = lines;
    for (char *line; result >= 0 && (line = strsep(&rest, "\n"));) {
        char *id = strsep(&line, " "), *active = strsep(&line, " "), *sub = strsep(&line, " ");
        if (sub) result = append_unit(reply, strcmp(id, "_") ? id : "", active, strcmp(sub, "_") ? sub : "");
    }
    for (int index = 0; result >= 0 && index < more; index++) {
        char id[64];
        snprintf(id, sizeof id, "many-%d.service", index);
        result = append_unit(reply, id, "inactive", "dead");
    }
    free(lines);
    return result < 0 ? result : sd_bus_message_close_container(reply);
}

static int reply_units(fake_systemd *fake, sd_bus_message *call) {
    count(fake, FAKE_SYSTEMD_LISTS);
    switch (mode(fake)) {
    case FAKE_SYSTEMD_WRONG_TYPE: return sd_bus_reply_method_return(call, "as", 1, "no units");
    case FAKE_SYSTEMD_ERROR:
        return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_ACCESS_DENIED, "not for you");
    case FAKE_SYSTEMD_SILENT: return 0;
    case FAKE_SYSTEMD_HANG_UP: return -ECONNRESET;
    default: break;
    }
    sd_bus_message *reply = NULL;
    int result = sd_bus_message_new_method_return(call, &reply);
    if (result >= 0) result = append_units(fake, reply);
    if (result >= 0) result = sd_bus_send(NULL, reply, NULL);
    sd_bus_message_unref(reply);
    return result;
}

// NRestarts of the unit that the object path ends with, which has the fourth word of its line.
static int reply_restarts(fake_systemd *fake, sd_bus_message *call) {
    count(fake, FAKE_SYSTEMD_RESTARTS);
    pthread_mutex_lock(&fake->lock);
    char *lines = strdup(fake->lines ? fake->lines : "");
    pthread_mutex_unlock(&fake->lock);
    int result = -1;
    char *rest = lines;
    for (char *line; result < 0 && (line = strsep(&rest, "\n"));) {
        char *id = strsep(&line, " ");
        strsep(&line, " ");
        strsep(&line, " ");
        char *escaped = NULL;
        if (!line) continue;
        // Names in these tests are of letters and one dot.
        int length = strcspn(id, ".");
        if (asprintf(&escaped, "/org/freedesktop/systemd1/unit/%.*s_2eservice", length, id) < 0) continue;
        if (strcmp(escaped, sd_bus_message_get_path(call)) == 0) result = atoi(line);
        free(escaped);
    }
    free(lines);
    if (result < 0) return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_UNKNOWN_OBJECT, "no such unit");
    return sd_bus_reply_method_return(call, "v", "u", (unsigned)result);
}

static int answer(fake_systemd *fake, sd_bus_message *call) {
    if (sd_bus_message_is_method_call(call, "org.freedesktop.DBus", "Hello"))
        return sd_bus_reply_method_return(call, "s", ":1.1");
    if (sd_bus_message_is_method_call(call, "org.freedesktop.systemd1.Manager", "ListUnits"))
        return reply_units(fake, call);
    if (sd_bus_message_is_method_call(call, "org.freedesktop.DBus.Properties", "Get")) {
        const char *interface, *name;
        int result = sd_bus_message_read(call, "ss", &interface, &name);
        if (result < 0) return result;
        if (strcmp(name, "Version") == 0) return sd_bus_reply_method_return(call, "v", "s", "252.39-1~deb12u2");
        if (strcmp(name, "SystemState") == 0) return sd_bus_reply_method_return(call, "v", "s", "degraded");
        if (strcmp(name, "NRestarts") == 0) return reply_restarts(fake, call);
        return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_UNKNOWN_PROPERTY, "%s", name);
    }
    return 0;
}

static void serve(fake_systemd *fake, int descriptor) {
    sd_bus *bus = NULL;
    sd_id128_t id = {.qwords = {1, 2}};
    if (sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, descriptor, descriptor) < 0 ||
        sd_bus_set_server(bus, 1, id) < 0 || sd_bus_start(bus) < 0) {
        sd_bus_unref(bus);
        return;
    }
    int result = 0;
    while (result >= 0 && !is_stopping(fake)) {
        sd_bus_message *call = NULL;
        result = sd_bus_process(bus, &call);
        if (call) {
            result = answer(fake, call);
            sd_bus_message_unref(call);
        } else if (result == 0) {
            result = sd_bus_wait(bus, 20000);
        }
    }
    if (result >= 0) sd_bus_flush(bus);
    sd_bus_close_unref(bus);
}

static void *run(void *context) {
    fake_systemd *fake = context;
    while (!is_stopping(fake)) {
        struct pollfd poller = {.fd = fake->listener, .events = POLLIN};
        if (poll(&poller, 1, 20) <= 0) continue;
        int descriptor = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (descriptor < 0) continue;
        count(fake, FAKE_SYSTEMD_CONNECTIONS);
        if (mode(fake) != FAKE_SYSTEMD_DEAF) {
            serve(fake, descriptor);
            continue;
        }
        while (!is_stopping(fake) && mode(fake) == FAKE_SYSTEMD_DEAF) usleep(10000);
        close(descriptor);
    }
    return NULL;
}

fake_systemd *fake_systemd_start(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return NULL;
    strcpy(address.sun_path, path);
    fake_systemd *fake = calloc(1, sizeof *fake);
    if (!fake) return NULL;
    pthread_mutex_init(&fake->lock, NULL);
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fake->listener < 0 || bind(fake->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fake->listener, 4) != 0 || pthread_create(&fake->thread, NULL, run, fake) != 0) {
        if (fake->listener >= 0) close(fake->listener);
        free(fake);
        return NULL;
    }
    return fake;
}

void fake_systemd_stop(fake_systemd *fake) {
    pthread_mutex_lock(&fake->lock);
    fake->isStopping = 1;
    pthread_mutex_unlock(&fake->lock);
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    pthread_mutex_destroy(&fake->lock);
    free(fake->lines);
    free(fake);
}

void fake_systemd_set_mode(fake_systemd *fake, enum fake_systemd_mode mode) {
    pthread_mutex_lock(&fake->lock);
    fake->mode = mode;
    pthread_mutex_unlock(&fake->lock);
}

void fake_systemd_set_units(fake_systemd *fake, const char *lines) {
    pthread_mutex_lock(&fake->lock);
    free(fake->lines);
    fake->lines = strdup(lines);
    pthread_mutex_unlock(&fake->lock);
}

void fake_systemd_set_more(fake_systemd *fake, int count) {
    pthread_mutex_lock(&fake->lock);
    fake->more = count;
    pthread_mutex_unlock(&fake->lock);
}

int fake_systemd_count(fake_systemd *fake, enum fake_systemd_call call) {
    pthread_mutex_lock(&fake->lock);
    int count = fake->counts[call];
    pthread_mutex_unlock(&fake->lock);
    return count;
}
