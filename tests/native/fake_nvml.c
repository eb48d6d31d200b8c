/* A machine with two GPUs, as libnvidia-ml tells of it. A test says which calls fail, and moves the counters. */
#include <stdio.h>
#include <string.h>

enum { SUCCESS = 0, NOT_FOUND = 6, NOT_SUPPORTED = 3, DEVICES = 2 };

struct device {
    char uuid[96];
    unsigned int utilization;
    unsigned long long used;
    unsigned int milliwatts;
    unsigned long long millijoules;
};

static struct device devices[DEVICES];
static char failing[256];
static int initialized;
static int readings;

void fake_nvml_reset(void) {
    memset(devices, 0, sizeof devices);
    for (int i = 0; i < DEVICES; i++) {
        snprintf(devices[i].uuid, sizeof devices[i].uuid, "GPU-0000000%d-0000-0000-0000-000000000000", i);
        devices[i].utilization = 25 + 50 * i;
        devices[i].used = 1000 + i;
        devices[i].milliwatts = 75500 + i;
        devices[i].millijoules = 5000000;
    }
    failing[0] = 0;
    readings = 0;
}

/* Names of functions, each between commas. */
void fake_nvml_fail(const char *names) { snprintf(failing, sizeof failing, "%s", names); }

void fake_nvml_use_energy(unsigned long long millijoules) {
    for (int i = 0; i < DEVICES; i++) {
        devices[i].millijoules += millijoules;
    }
}

int fake_nvml_readings(void) { return readings; }

static int refuses(const char *name) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, ",%s,", name);
    return strstr(failing, wanted) != NULL;
}

#define REFUSE_IF_ASKED() if (!initialized || refuses(__func__)) return NOT_SUPPORTED

int nvmlInit_v2(void) {
    if (refuses(__func__)) {
        return NOT_FOUND;
    }
    initialized = 1;
    return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned int *count) {
    REFUSE_IF_ASKED();
    readings++;
    *count = DEVICES;
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
    REFUSE_IF_ASKED();
    *device = &devices[index];
    return SUCCESS;
}

int nvmlDeviceGetUUID(void *device, char *uuid, unsigned int length) {
    REFUSE_IF_ASKED();
    snprintf(uuid, length, "%s", ((struct device *)device)->uuid);
    return SUCCESS;
}

struct memory { unsigned long long total, free, used; };
struct memory_v2 { unsigned int version; unsigned long long total, reserved, free, used; };

int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory) {
    REFUSE_IF_ASKED();
    unsigned long long used = ((struct device *)device)->used + 500;
    *memory = (struct memory){ 8000, 8000 - used, used };
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo_v2(void *device, struct memory_v2 *memory) {
    REFUSE_IF_ASKED();
    if (memory->version != (sizeof *memory | 2 << 24)) {
        return NOT_SUPPORTED;
    }
    unsigned long long used = ((struct device *)device)->used;
    *memory = (struct memory_v2){ memory->version, 8000, 500, 7500 - used, used };
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(void *device, unsigned int rates[2]) {
    REFUSE_IF_ASKED();
    rates[0] = ((struct device *)device)->utilization;
    rates[1] = 99;
    return SUCCESS;
}

int nvmlDeviceGetPowerUsage(void *device, unsigned int *milliwatts) {
    REFUSE_IF_ASKED();
    *milliwatts = ((struct device *)device)->milliwatts;
    return SUCCESS;
}

int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned int *milliwatts) {
    REFUSE_IF_ASKED();
    (void)device;
    *milliwatts = 700000;
    return SUCCESS;
}

int nvmlDeviceGetPowerManagementLimit(void *device, unsigned int *milliwatts) {
    REFUSE_IF_ASKED();
    (void)device;
    *milliwatts = 650000;
    return SUCCESS;
}

int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *millijoules) {
    REFUSE_IF_ASKED();
    *millijoules = ((struct device *)device)->millijoules;
    return SUCCESS;
}
