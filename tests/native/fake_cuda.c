/* CUDA's driver library as far as the tests need it: the GPUs' memory is the heap, and every block and stream is counted. */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_CONTEXT = 201, MOST_CONTEXTS = 16 };

typedef struct { char bytes[64]; } IpcHandle;

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static int device_count = 2;
static char failing_function[64];
static int failing_code;
static int failures_left;
static int counts[5]; /* device blocks, page-locked blocks, opened handles, copies, retained contexts */
static _Thread_local intptr_t contexts[MOST_CONTEXTS];
static _Thread_local int depth;

static int failure_of(const char *function)
{
    int code = 0;
    pthread_mutex_lock(&gate);
    if (failures_left > 0 && strcmp(function, failing_function) == 0)
    {
        failures_left--;
        code = failing_code;
    }

    pthread_mutex_unlock(&gate);
    return code;
}

static void count(int what, int change)
{
    pthread_mutex_lock(&gate);
    counts[what] += change;
    pthread_mutex_unlock(&gate);
}

#define FAIL_IF_TOLD() do { int code = failure_of(__func__); if (code != 0) return code; } while (0)
#define NEED_CONTEXT() do { FAIL_IF_TOLD(); if (depth == 0) return INVALID_CONTEXT; } while (0)

void fake_cuda_set_devices(int number) { device_count = number; }

/* The next so many calls of that function return that code. */
void fake_cuda_fail(const char *function, int code, int times)
{
    pthread_mutex_lock(&gate);
    snprintf(failing_function, sizeof failing_function, "%s", function);
    failing_code = code;
    failures_left = times;
    pthread_mutex_unlock(&gate);
}

int fake_cuda_count(int what) { return counts[what]; }

int fake_cuda_depth(void) { return depth; }

int cuInit(unsigned flags)
{
    (void)flags;
    FAIL_IF_TOLD();
    return device_count == 0 ? NO_DEVICE : 0;
}

int cuDeviceGetCount(int *number) { FAIL_IF_TOLD(); *number = device_count; return 0; }

int cuDeviceGet(int *device, int number) { FAIL_IF_TOLD(); *device = number; return 0; }

int cuDeviceGetName(char *name, int length, int device) { FAIL_IF_TOLD(); snprintf(name, (size_t)length, "Fake GPU %d", device); return 0; }

int cuDeviceGetUuid_v2(unsigned char *uuid, int device)
{
    FAIL_IF_TOLD();
    for (int i = 0; i < 16; i++)
    {
        uuid[i] = (unsigned char)(16 * device + i);
    }

    return 0;
}

int cuDeviceTotalMem_v2(size_t *bytes, int device) { (void)device; FAIL_IF_TOLD(); *bytes = (size_t)8 << 30; return 0; }

int cuDevicePrimaryCtxRetain(intptr_t *context, int device) { FAIL_IF_TOLD(); *context = 1000 + device; count(4, 1); return 0; }

int cuCtxPushCurrent_v2(intptr_t context)
{
    FAIL_IF_TOLD();
    if (depth == MOST_CONTEXTS)
    {
        return INVALID_CONTEXT;
    }

    contexts[depth++] = context;
    return 0;
}

int cuCtxPopCurrent_v2(intptr_t *context)
{
    NEED_CONTEXT();
    *context = contexts[--depth];
    return 0;
}

int cuMemAlloc_v2(void **address, size_t bytes)
{
    NEED_CONTEXT();
    *address = malloc(bytes);
    count(0, 1);
    return *address == NULL ? OUT_OF_MEMORY : 0;
}

int cuMemFree_v2(void *address) { NEED_CONTEXT(); free(address); count(0, -1); return 0; }

int cuMemHostAlloc(void **address, size_t bytes, unsigned flags)
{
    (void)flags;
    NEED_CONTEXT();
    *address = malloc(bytes);
    count(1, 1);
    return *address == NULL ? OUT_OF_MEMORY : 0;
}

int cuMemFreeHost(void *address) { NEED_CONTEXT(); free(address); count(1, -1); return 0; }

int cuMemGetInfo_v2(size_t *unused, size_t *total) { NEED_CONTEXT(); *unused = (size_t)3 << 30; *total = (size_t)8 << 30; return 0; }

static int copy(void *target, const void *source, size_t bytes) { memcpy(target, source, bytes); count(3, 1); return 0; }

int cuMemcpyHtoDAsync_v2(void *target, const void *source, size_t bytes, void *stream) { (void)stream; NEED_CONTEXT(); return copy(target, source, bytes); }

int cuMemcpyDtoHAsync_v2(void *target, const void *source, size_t bytes, void *stream) { (void)stream; NEED_CONTEXT(); return copy(target, source, bytes); }

int cuMemcpyDtoDAsync_v2(void *target, const void *source, size_t bytes, void *stream) { (void)stream; NEED_CONTEXT(); return copy(target, source, bytes); }

int cuStreamCreate(intptr_t *stream, unsigned flags) { NEED_CONTEXT(); *stream = (intptr_t)flags; return 0; }

int cuStreamSynchronize(intptr_t stream) { (void)stream; NEED_CONTEXT(); return 0; }

int cuMemGetAddressRange_v2(void **start, size_t *bytes, void *address)
{
    NEED_CONTEXT();
    *start = address;
    *bytes = malloc_usable_size(address);
    return 0;
}

/* The handle's first bytes are the address. */
int cuIpcOpenMemHandle_v2(void **address, IpcHandle handle, unsigned flags)
{
    (void)flags;
    NEED_CONTEXT();
    memcpy(address, handle.bytes, sizeof *address);
    count(2, 1);
    return 0;
}

int cuIpcCloseMemHandle(void *address) { (void)address; NEED_CONTEXT(); count(2, -1); return 0; }

int cuGetErrorName(int code, const char **name)
{
    switch (code)
    {
        case OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; return 0;
        case 700: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; return 0;
        case 803: *name = "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"; return 0;
        default: return 1;
    }
}

int cuGetErrorString(int code, const char **text)
{
    switch (code)
    {
        case OUT_OF_MEMORY: *text = "out of memory"; return 0;
        case 700: *text = "an illegal memory access was encountered"; return 0;
        case 803: *text = "system has unsupported display driver / cuda driver combination"; return 0;
        default: return 1;
    }
}
