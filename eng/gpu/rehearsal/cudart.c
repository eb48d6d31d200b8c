// CUDA's runtime without a device, for a rehearsal: memory is the host's, copies are memcpy, and kernels do nothing. What ONNX
// Runtime's CUDA provider asks for at load and around each run is answered; only what it would compute is not there.
// FAKE_CUDA_TRACE=1 names the calls on stderr. A number in the file FAKE_CUDA_FAIL is what synchronising answers from then on.
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int Error;
enum { OK = 0, OUT_OF_MEMORY = 2, INVALID_DEVICE = 101, ILLEGAL_ADDRESS = 700 };
static const size_t DEVICE_BYTES = (size_t)4 << 30;

static void trace(const char *format, ...)
{
    if (getenv("FAKE_CUDA_TRACE") == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
}

static Error state(void)
{
    const char *path = getenv("FAKE_CUDA_FAIL");
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    int code = OK;
    if (file != NULL) {
        if (fscanf(file, "%d", &code) != 1)
            code = OK;
        fclose(file);
    }
    return code;
}

static Error make(void **handle) { *handle = calloc(1, 64); return OK; }
static Error release(void *handle) { free(handle); return OK; }

// Device, versions, errors

// The head of cudaDeviceProp, whose later fields nobody here reads; the caller's is larger.
struct Properties {
    char name[256], uuid[16], luid[8];
    unsigned node_mask;
    size_t memory, shared;
    int registers, warp;
    size_t pitch;
    int threads, block[3], grid[3];
    size_t constant;
    int major, minor;
    size_t alignment, texture_pitch;
    int processors;
};

Error cudaGetDeviceCount(int *count) { *count = 1; return OK; }
Error cudaGetDevice(int *device) { *device = 0; return OK; }
Error cudaSetDevice(int device) { return device == 0 ? OK : INVALID_DEVICE; }
Error cudaGetDeviceProperties(struct Properties *p, int device)
{
    *p = (struct Properties){ "Rehearsal", "", "", 0, DEVICE_BYTES, 49152, 65536, 32, 0, 1024, { 1024, 1024, 64 }, { 2147483647, 65535, 65535 }, 65536, 9, 0, 512, 32, 132 };
    return cudaSetDevice(device);
}
Error cudaDeviceGetAttribute(int *value, int attribute, int device)
{
    *value = attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 16 ? 132 : 1024; // compute capability, multiprocessors, the rest
    return cudaSetDevice(device);
}
Error cudaDriverGetVersion(int *version) { *version = 13000; return OK; }
Error cudaRuntimeGetVersion(int *version) { *version = 13000; return OK; }
Error cudaGetLastError(void) { return OK; }
Error cudaPeekAtLastError(void) { return OK; }
const char *cudaGetErrorName(Error e) { return e == OUT_OF_MEMORY ? "cudaErrorMemoryAllocation" : e == ILLEGAL_ADDRESS ? "cudaErrorIllegalAddress" : "cudaErrorUnknown"; }
const char *cudaGetErrorString(Error e) { return e == OUT_OF_MEMORY ? "out of memory" : e == ILLEGAL_ADDRESS ? "an illegal memory access was encountered" : "unknown error"; }
static Error nothing(void) { return OK; }
Error cudaGetDriverEntryPointByVersion(const char *name, void **function, unsigned version, unsigned long long flags, int *found)
{
    trace("entry point %s\n", name);
    *function = (void *)nothing;
    if (found != NULL)
        *found = 0;
    return OK;
}

// Memory

static Error allocate(void **address, size_t bytes)
{
    *address = bytes > DEVICE_BYTES ? NULL : aligned_alloc(256, (bytes + 511) / 256 * 256);
    trace("allocate %zu: %p\n", bytes, *address);
    return *address == NULL ? OUT_OF_MEMORY : OK;
}
Error cudaMalloc(void **address, size_t bytes) { return allocate(address, bytes); }
Error cudaMallocFromPoolAsync(void **address, size_t bytes, void *pool, void *stream) { return allocate(address, bytes); }
Error cudaHostAlloc(void **address, size_t bytes, unsigned flags) { return allocate(address, bytes); }
Error cudaMallocHost(void **address, size_t bytes) { return allocate(address, bytes); }
Error cudaFree(void *address) { return release(address); }
Error cudaFreeAsync(void *address, void *stream) { return release(address); }
Error cudaFreeHost(void *address) { return release(address); }
Error cudaMemGetInfo(size_t *available, size_t *total) { *available = DEVICE_BYTES - ((size_t)1 << 30); *total = DEVICE_BYTES; return OK; }

// What a graph holds here: the copies that came while it was captured, which launching it makes again.
struct Copy { void *target; const void *source; size_t bytes; };
struct Graph { int count; struct Copy copies[64]; };
static struct Graph *capturing;

Error cudaMemcpyAsync(void *target, const void *source, size_t bytes, int kind, void *stream)
{
    if (capturing != NULL && capturing->count < 64)
        capturing->copies[capturing->count++] = (struct Copy){ target, source, bytes };
    static const char *const names[] = { "host to host", "host to device", "device to host", "device to device", "by address" };
    trace("copy %zu %s\n", bytes, names[kind]);
    memmove(target, source, bytes);
    return state();
}
Error cudaMemcpy(void *target, const void *source, size_t bytes, int kind) { return cudaMemcpyAsync(target, source, bytes, kind, NULL); }
Error cudaMemcpy2DAsync(char *target, size_t target_pitch, const char *source, size_t source_pitch, size_t width, size_t height, int kind, void *stream)
{
    for (size_t i = 0; i < height; i++)
        memmove(target + i * target_pitch, source + i * source_pitch, width);
    return state();
}
Error cudaMemcpyFromSymbol(void *target, const void *symbol, size_t bytes, size_t offset, int kind) { memset(target, 0, bytes); return OK; }
Error cudaMemset(void *target, int value, size_t bytes) { memset(target, value, bytes); return OK; }
Error cudaMemsetAsync(void *target, int value, size_t bytes, void *stream) { memset(target, value, bytes); return OK; }
Error cudaMemPoolCreate(void **pool, const void *properties) { return make(pool); }
Error cudaMemPoolDestroy(void *pool) { return release(pool); }
Error cudaMemPoolGetAttribute(void *pool, int attribute, void *value) { memset(value, 0, 8); return OK; }
Error cudaMemPoolSetAttribute(void *pool, int attribute, void *value) { return OK; }
Error cudaMemPoolTrimTo(void *pool, size_t bytes) { return OK; }

// Streams, events and graphs

Error cudaStreamCreate(void **stream) { return make(stream); }
Error cudaStreamCreateWithFlags(void **stream, unsigned flags) { trace("stream\n"); return make(stream); }
Error cudaStreamDestroy(void *stream) { return release(stream); }
Error cudaStreamSynchronize(void *stream) { trace("synchronise\n"); return state(); }
Error cudaStreamWaitEvent(void *stream, void *event, unsigned flags) { return OK; }
Error cudaStreamIsCapturing(void *stream, int *status) { *status = capturing != NULL; return OK; }
Error cudaStreamBeginCapture(void *stream, int mode) { trace("begin capture\n"); capturing = calloc(1, sizeof *capturing); return OK; }
Error cudaStreamEndCapture(void *stream, void **graph) { trace("end capture\n"); *graph = capturing; capturing = NULL; return OK; }
Error cudaDeviceSynchronize(void) { return state(); }
Error cudaEventCreate(void **event) { return make(event); }
Error cudaEventCreateWithFlags(void **event, unsigned flags) { return make(event); }
Error cudaEventDestroy(void *event) { return release(event); }
Error cudaEventElapsedTime(float *milliseconds, void *start, void *end) { *milliseconds = 1; return OK; }
Error cudaEventRecord(void *event, void *stream) { return OK; }
Error cudaEventSynchronize(void *event) { return state(); }
Error cudaGraphInstantiate(void **executable, void *graph, unsigned long long flags) { *executable = malloc(sizeof(struct Graph)); memcpy(*executable, graph, sizeof(struct Graph)); return OK; }
Error cudaGraphLaunch(struct Graph *executable, void *stream)
{
    trace("launch graph\n");
    for (int i = 0; i < executable->count; i++)
        memmove(executable->copies[i].target, executable->copies[i].source, executable->copies[i].bytes);
    return state();
}
Error cudaGraphDestroy(void *graph) { return release(graph); }
Error cudaGraphExecDestroy(void *executable) { return release(executable); }

// Kernels, which are never run

struct Dimensions { unsigned x, y, z; };
struct Attributes { size_t shared, constant, local; int threads, registers, ptx, binary; };
Error cudaFuncGetAttributes(struct Attributes *attributes, const void *function) { *attributes = (struct Attributes){ 0, 0, 0, 1024, 32, 90, 90 }; return OK; }
Error cudaFuncSetAttribute(const void *function, int attribute, int value) { return OK; }
Error cudaKernelSetAttributeForDevice(void *kernel, int attribute, int value, int device) { return OK; }
Error cudaLaunchHostFunc(void *stream, void (*function)(void *), void *data) { function(data); return OK; }
Error cudaLaunchKernel(const void *function) { trace("launch\n"); return OK; }
Error cudaLaunchKernelExC(const void *config, const void *function, void **arguments) { trace("launch\n"); return OK; }
Error cudaLibraryLoadData(void **library) { return make(library); }
Error cudaLibraryGetKernel(void **kernel, void *library, const char *name) { return make(kernel); }
Error cudaLibraryUnload(void *library) { return release(library); }
Error cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, const void *function, int threads, size_t shared, unsigned flags) { *blocks = 1; return OK; }
Error __cudaGetKernel(const void **kernel, const void *function) { *kernel = function; return OK; }
Error __cudaLaunchKernel(void) { trace("launch\n"); return OK; }
Error __cudaPushCallConfiguration(struct Dimensions grid, struct Dimensions block, size_t shared, void *stream) { return OK; }
Error __cudaPopCallConfiguration(struct Dimensions *grid, struct Dimensions *block, size_t *shared, void **stream)
{
    *grid = *block = (struct Dimensions){ 1, 1, 1 };
    *shared = 0;
    *stream = NULL;
    return OK;
}
void **__cudaRegisterFatBinary(void *binary) { return calloc(1, 64); }
void __cudaRegisterFatBinaryEnd(void **handle) { }
void __cudaRegisterFunction(void) { }
void __cudaRegisterVar(void) { }
void __cudaUnregisterFatBinary(void **handle) { }
