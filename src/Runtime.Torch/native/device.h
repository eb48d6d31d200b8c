#pragma once

#include <c10/core/Device.h>
#include <c10/core/Stream.h>

#include <cstdint>

namespace runtime_torch {

// -1 is the host. A GPU that is not there is a Failure.
c10::Device to_device(int32_t device);

c10::Stream take_stream(c10::Device device);

// Waits for what the stream holds; throws what failed on it.
void synchronize(const c10::Stream& stream);

// False once an error has made the device unusable for this process: then every later call fails as well.
bool device_answers(int32_t device) noexcept;

// Sets the number of threads inside an operator for the calling thread, for which alone OpenMP remembers it.
void apply_threads(int32_t own = 0);

}  // namespace runtime_torch
