// Stands in for the system bus and systemd behind it: answers as org.freedesktop.systemd1 does, or otherwise.
#pragma once

typedef struct fake_systemd fake_systemd;

// How ListUnits is answered.
enum fake_systemd_mode {
    FAKE_SYSTEMD_NORMAL,
    FAKE_SYSTEMD_WRONG_TYPE,
    FAKE_SYSTEMD_ERROR,
    FAKE_SYSTEMD_SILENT,
    FAKE_SYSTEMD_HANG_UP,
    // Nothing is answered, not even when a client logs in.
    FAKE_SYSTEMD_DEAF,
};

enum fake_systemd_call { FAKE_SYSTEMD_CONNECTIONS, FAKE_SYSTEMD_LISTS, FAKE_SYSTEMD_RESTARTS };

// Listens at a path; NULL if it cannot.
fake_systemd *fake_systemd_start(const char *path);
void fake_systemd_stop(fake_systemd *);
void fake_systemd_set_mode(fake_systemd *, enum fake_systemd_mode);
// Text lines of four words: id, active state, sub state, restarts; '_' is an empty word.
void fake_systemd_set_units(fake_systemd *, const char *lines);
// Units more than that: "many-N.service", inactive.
void fake_systemd_set_more(fake_systemd *, int count);
// How often something was asked for.
int fake_systemd_count(fake_systemd *, enum fake_systemd_call);
