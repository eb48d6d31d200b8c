#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "runtime_torch.h"

namespace runtime_torch {

// The RTT_ element type, or 0 for one that this library does not serve.
int32_t element_type(c10::ScalarType type) noexcept;

// A tensor over the caller's memory, or a copy where that memory is not aligned to its elements, moved to `device` without waiting
// for the copy. `name` says in failures which tensor it is.
at::Tensor to_tensor(const rtt_tensor& given, c10::Device device, const std::string& name);

// How `tensor` is shown to the caller, whose memory it stays.
rtt_tensor describe(const at::Tensor& tensor);

}  // namespace runtime_torch
