#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "runtime_torch.h"

namespace runtime_torch {

// Which of the caller's tensors a failure is about; put into words only when there is one.
struct ArgumentPlace {
  const rtt_method& method;
  size_t index;
  int32_t element = -1;
  const char* key = nullptr;

  std::string text() const;
};

// The RTT_ element type, or 0 for one that this library does not serve.
int32_t element_type(c10::ScalarType type) noexcept;

// A tensor over the caller's memory, or a copy where that memory is not aligned to its elements, moved to `device` without waiting
// for the copy.
at::Tensor to_tensor(const rtt_tensor& given, c10::Device device, const ArgumentPlace& place);

// How `tensor` is shown to the caller, whose memory it stays.
rtt_tensor describe(const at::Tensor& tensor);

}  // namespace runtime_torch
