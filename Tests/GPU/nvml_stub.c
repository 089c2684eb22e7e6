// Stands in for NVIDIA's management library in tests, which compile it with the folder that it is told by and tells to:
//
//   calls          gets a line for each call that reaches for a GPU or the library's state
//   fail-init      exists: the library does not start (driver not loaded)
//   lost           exists: every value fails with "GPU is lost"
//   uninitialized  exists: every value fails with "uninitialized"
//   throttle       exists: the clock is held back by heat
//
// There are the GPUs 0000:01:00.0, which tells everything, and 0000:02:00.0, which has neither fan nor energy counter.
// With -DOLD the functions that came late are missing.
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    SUCCESS = 0,
    UNINITIALIZED = 1,
    INVALID_ARGUMENT = 2,
    NOT_SUPPORTED = 3,
    NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7,
    DRIVER_NOT_LOADED = 9,
    LOST = 15
};
typedef struct { int number; } Device;

static Device devices[2] = {{1}, {2}};
static int isStarted;

static int has(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", FOLDER, name);
    return access(path, F_OK) == 0;
}

static void call(const char *format, ...) {
    char path[4096];
    snprintf(path, sizeof path, "%s/calls", FOLDER);
    FILE *file = fopen(path, "a");
    if (!file) return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    fputc('\n', file);
    fclose(file);
}

int nvmlInit_v2(void) {
    call("init");
    if (has("fail-init")) return DRIVER_NOT_LOADED;
    isStarted++;
    return SUCCESS;
}

int nvmlShutdown(void) {
    call("shutdown");
    if (isStarted == 0) return UNINITIALIZED;
    isStarted--;
    return SUCCESS;
}

static int text(char *target, unsigned size, const char *value) {
    if (size <= strlen(value)) return INSUFFICIENT_SIZE;
    strcpy(target, value);
    return SUCCESS;
}

// What every function on a GPU answers first.
static int state(const Device *device) {
    if (!isStarted) return UNINITIALIZED;
    if (device != &devices[0] && device != &devices[1]) return INVALID_ARGUMENT;
    if (has("lost")) return LOST;
    if (has("uninitialized")) return UNINITIALIZED;
    return SUCCESS;
}

#define CHECK(device) do { int status = state(device); if (status != SUCCESS) return status; } while (0)

int nvmlSystemGetDriverVersion(char *target, unsigned size) { return text(target, size, "580.159.04"); }

int nvmlDeviceGetCount_v2(unsigned *count) {
    *count = 2;
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **device) {
    call("index %u", index);
    if (!isStarted) return UNINITIALIZED;
    if (index > 1) return INVALID_ARGUMENT;
    *device = &devices[index];
    return SUCCESS;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *address, Device **device) {
    call("handle %s", address);
    if (!isStarted) return UNINITIALIZED;
    for (int index = 0; index < 2; index++) {
        char own[32];
        snprintf(own, sizeof own, "0000:%02d:00.0", index + 1);
        if (strcmp(address, own) != 0) continue;
        *device = &devices[index];
        return SUCCESS;
    }
    return NOT_FOUND;
}

int nvmlDeviceGetName(Device *device, char *target, unsigned size) {
    CHECK(device);
    return text(target, size, device->number == 1 ? "NVIDIA Stub 1" : "NVIDIA Stub\xff 2");
}

typedef struct {
    char oldAddress[16];
    unsigned domain, bus, device, pciDevice, pciSubsystem;
    char address[32];
} PciInfo;

int nvmlDeviceGetPciInfo_v3(Device *device, PciInfo *info) {
    CHECK(device);
    memset(info, 0, sizeof *info);
    snprintf(info->oldAddress, sizeof info->oldAddress, "0000:%02X:00.0", device->number);
    snprintf(info->address, sizeof info->address, "00000000:%02X:00.0", device->number);
    info->bus = device->number;
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(Device *device, struct { unsigned gpu, memory; } *rates) {
    call("values %d", device->number);
    CHECK(device);
    rates->gpu = device->number == 1 ? 42 : 101;
    rates->memory = device->number == 1 ? 7 : 100;
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo(Device *device, struct { uint64_t total, free, used; } *memory) {
    CHECK(device);
    memory->total = 1000;
    memory->free = 600;
    memory->used = 400;
    return SUCCESS;
}

int nvmlDeviceGetTemperature(Device *device, int sensor, unsigned *celsius) {
    CHECK(device);
    if (sensor != 0) return INVALID_ARGUMENT;
    *celsius = 61;
    return SUCCESS;
}

int nvmlDeviceGetPowerUsage(Device *device, unsigned *milliwatts) {
    CHECK(device);
    *milliwatts = 123456;
    return SUCCESS;
}

int nvmlDeviceGetEnforcedPowerLimit(Device *device, unsigned *milliwatts) {
    CHECK(device);
    *milliwatts = 700000;
    return SUCCESS;
}

int nvmlDeviceGetClockInfo(Device *device, int type, unsigned *megahertz) {
    CHECK(device);
    if (type != 0 && type != 2) return INVALID_ARGUMENT;
    *megahertz = type == 0 ? 1980 : 3201;
    return SUCCESS;
}

int nvmlDeviceGetFanSpeed(Device *device, unsigned *percent) {
    CHECK(device);
    if (device->number == 2) return NOT_SUPPORTED;
    *percent = 30;
    return SUCCESS;
}

static uint64_t reasons(void) { return has("throttle") ? 0x40 | 0x08 : 0x04 | 0x01; }

int nvmlDeviceGetCurrentClocksThrottleReasons(Device *device, uint64_t *bits) {
    CHECK(device);
    *bits = reasons();
    return SUCCESS;
}

#ifndef OLD
int nvmlDeviceGetCurrentClocksEventReasons(Device *device, uint64_t *bits) {
    CHECK(device);
    *bits = reasons();
    return SUCCESS;
}

int nvmlDeviceGetTotalEnergyConsumption(Device *device, uint64_t *millijoules) {
    CHECK(device);
    if (device->number == 2) return NOT_SUPPORTED;
    *millijoules = UINT64_C(5000000000123);
    return SUCCESS;
}

typedef struct {
    unsigned version;
    uint64_t total, reserved, free, used;
} MemoryWithReserve;

int nvmlDeviceGetMemoryInfo_v2(Device *device, MemoryWithReserve *memory) {
    CHECK(device);
    if (memory->version != (sizeof *memory | 2 << 24)) return INVALID_ARGUMENT;
    memory->total = 1000;
    memory->reserved = 150;
    memory->free = 600;
    memory->used = 250;
    return SUCCESS;
}
#endif
