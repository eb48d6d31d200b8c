#include "device.h"

#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <atomic>
#include <mutex>
#include <string>

#include "errors.h"

#define RTT_TORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

// From 2.9 on the allocator's device-independent interface serves, so that CUDA's own headers are not needed.
#if defined(RTT_CUDA) && RTT_TORCH_AT_LEAST(2, 9)
#include <c10/core/CachingDeviceAllocator.h>
#elif defined(RTT_CUDA)
#include <c10/cuda/CUDACachingAllocator.h>
#endif

// Debian's libtorch multiplies matrices by OpenBLAS, whose threads libtorch does not know of; null where it is another library.
extern "C" __attribute__((weak)) void openblas_set_num_threads(int threads);

namespace runtime_torch {
namespace {

std::atomic<int32_t> wanted_intra{0};
thread_local int32_t applied_intra = 0;
std::mutex inter_lock;
int32_t set_inter = 0;

int32_t device_count() noexcept {
  try {
    return static_cast<int32_t>(torch::cuda::device_count());
  } catch (...) {
    return 0;
  }
}

}  // namespace

c10::Device to_device(int32_t device) {
  if (device == -1) return c10::Device(c10::DeviceType::CPU);
  int32_t count = device_count();
  if (device < -1 || device >= count) {
    throw Failure(RTT_UNSUPPORTED, "GPU " + std::to_string(device) + " is not there: libtorch " TORCH_VERSION " sees " +
                                       (count == 0 ? std::string("none") : std::to_string(count)));
  }
  return c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(device));
}

c10::Stream take_stream(c10::Device device) {
  return c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
}

void synchronize(const c10::Stream& stream) {
  c10::impl::VirtualGuardImpl(stream.device_type()).synchronizeStream(stream);
}

bool device_answers(int32_t device) noexcept {
  try {
    c10::Device gpu(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(device));
    synchronize(c10::impl::VirtualGuardImpl(gpu.type()).getDefaultStream(gpu));
    return true;
  } catch (...) {
    return false;
  }
}

void apply_threads(int32_t own) {
  int32_t wanted = own > 0 ? own : wanted_intra.load(std::memory_order_relaxed);
  if (wanted <= 0 || wanted == applied_intra) return;
  at::set_num_threads(wanted);
  applied_intra = wanted;
}

}  // namespace runtime_torch

using namespace runtime_torch;

int32_t rtt_abi(void) { return RTT_ABI; }

const char* rtt_version(void) { return TORCH_VERSION; }

int32_t rtt_cuda_device_count(void) { return device_count(); }

int32_t rtt_set_threads(int32_t intra, int32_t inter, rtt_error* error) {
  return guarded(error, {-1, RTT_INTERNAL}, [&] {
    if (intra < 0 || inter < 0) throw Failure(RTT_INVALID, "a number of threads is 0 (leave it) or more");
    if (inter > 0) {
      std::lock_guard<std::mutex> lock(inter_lock);
      if (set_inter == 0 && at::get_num_interop_threads() != inter) {
        try {
          at::set_num_interop_threads(inter);
        } catch (const std::exception&) {
          throw Failure(RTT_INVALID, "the number of threads between operators cannot change after the first run");
        }
      } else if (set_inter != 0 && set_inter != inter) {
        throw Failure(RTT_INVALID, "the number of threads between operators is " + std::to_string(set_inter) +
                                       " and can only be set once");
      }
      set_inter = inter;
    }
    if (intra == 0) return;
    wanted_intra.store(intra, std::memory_order_relaxed);
    if (openblas_set_num_threads != nullptr) openblas_set_num_threads(intra);
  });
}

int32_t rtt_empty_cache(int32_t device, rtt_error* error) {
  return guarded(error, {device, RTT_INTERNAL}, [&] {
    if (to_device(device).is_cpu()) return;
#if defined(RTT_CUDA) && RTT_TORCH_AT_LEAST(2, 9)
    c10::getDeviceAllocator(c10::DeviceType::CUDA)->emptyCache();
#elif defined(RTT_CUDA)
    c10::cuda::CUDACachingAllocator::emptyCache();
#endif
  });
}

int32_t rtt_memory(int32_t device, int64_t* allocated, int64_t* reserved, rtt_error* error) {
  return guarded(error, {device, RTT_INTERNAL}, [&] {
    if (allocated == nullptr || reserved == nullptr) throw Failure(RTT_INVALID, "allocated and reserved must not be null");
    *allocated = *reserved = 0;
    if (to_device(device).is_cpu()) return;
#if defined(RTT_CUDA) && RTT_TORCH_AT_LEAST(2, 9)
    auto* allocator = c10::getDeviceAllocator(c10::DeviceType::CUDA);
    if (!allocator->initialized()) return;
    auto stats = allocator->getDeviceStats(static_cast<c10::DeviceIndex>(device));
    *allocated = stats.allocated_bytes[0].current;
    *reserved = stats.reserved_bytes[0].current;
#elif defined(RTT_CUDA)
    auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(device);
    *allocated = stats.allocated_bytes[0].current;
    *reserved = stats.reserved_bytes[0].current;
#endif
  });
}
