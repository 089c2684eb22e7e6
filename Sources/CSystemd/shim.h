// sd-daemon(3), and sd-bus(3) with the calls of which Swift cannot call the C form: those that take any number of
// arguments.
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

// One unit as org.freedesktop.systemd1.Manager.ListUnits tells it; the texts belong to the message.
typedef struct sysmon_unit {
    const char *id, *description, *load_state, *active_state, *sub_state, *following, *path;
    uint32_t job_id;
    const char *job_type, *job_path;
} sysmon_unit;

// Reads the next unit of the list: above 0, or 0 at its end, or an errno below 0.
static inline int sysmon_unit_read(sd_bus_message *message, sysmon_unit *unit) {
    return sd_bus_message_read(
        message, "(ssssssouso)", &unit->id, &unit->description, &unit->load_state, &unit->active_state,
        &unit->sub_state, &unit->following, &unit->path, &unit->job_id, &unit->job_type, &unit->job_path);
}

// Asks systemd's manager for all units; an errno below 0 if that fails.
static inline int sysmon_list_units(sd_bus *bus, sd_bus_message **reply) {
    return sd_bus_call_method(
        bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "ListUnits",
        NULL, reply, "");
}
