#include "tensors.h"

#include <torch/types.h>

#include <cstring>

#include "device.h"
#include "errors.h"

namespace runtime_torch {
namespace {

struct TypeRow {
  int32_t ours;
  c10::ScalarType torchs;
  const char* name;
  int32_t bytes;
};

constexpr TypeRow kTypes[] = {
    {RTT_BOOL, c10::ScalarType::Bool, "bool", 1},         {RTT_U8, c10::ScalarType::Byte, "uint8", 1},
    {RTT_I8, c10::ScalarType::Char, "int8", 1},           {RTT_I16, c10::ScalarType::Short, "int16", 2},
    {RTT_I32, c10::ScalarType::Int, "int32", 4},          {RTT_I64, c10::ScalarType::Long, "int64", 8},
    {RTT_F16, c10::ScalarType::Half, "float16", 2},       {RTT_BF16, c10::ScalarType::BFloat16, "bfloat16", 2},
    {RTT_F32, c10::ScalarType::Float, "float32", 4},      {RTT_F64, c10::ScalarType::Double, "float64", 8},
};
constexpr int32_t kMaxRank = 64;

const TypeRow& row(int32_t type, const ArgumentPlace& place) {
  for (const TypeRow& candidate : kTypes) {
    if (candidate.ours == type) return candidate;
  }
  throw Failure(RTT_UNSUPPORTED, place.text() + " has the element type number " + std::to_string(type) + ", which is none");
}

// The shape's size in bytes.
int64_t check_shape(const rtt_tensor& given, int32_t element_bytes, const ArgumentPlace& place) {
  if (given.rank < 0 || given.rank > kMaxRank || (given.rank > 0 && given.dims == nullptr)) {
    throw Failure(RTT_INVALID, place.text() + " has a rank of " + std::to_string(given.rank) + " or no dimensions");
  }
  int64_t bytes = element_bytes;
  bool empty = false;
  for (int32_t i = 0; i < given.rank; ++i) {
    int64_t dim = given.dims[i];
    if (dim < 0) throw Failure(RTT_INVALID, place.text() + " has a dimension of " + std::to_string(dim));
    // An empty tensor's other dimensions are limited as well: libtorch multiplies them.
    empty = empty || dim == 0;
    if (dim != 0 && __builtin_mul_overflow(bytes, dim, &bytes)) throw Failure(RTT_INVALID, place.text() + " has too many elements");
  }
  return empty ? 0 : bytes;
}

}  // namespace

int32_t element_type(c10::ScalarType type) noexcept {
  for (const TypeRow& candidate : kTypes) {
    if (candidate.torchs == type) return candidate.ours;
  }
  return 0;
}

at::Tensor to_tensor(const rtt_tensor& given, c10::Device device, const ArgumentPlace& place) {
  const TypeRow& type = row(given.dtype, place);
  int64_t bytes = check_shape(given, type.bytes, place);
  if (given.bytes != bytes) {
    throw Failure(RTT_INVALID, place.text() + " has " + std::to_string(given.bytes) + " bytes, but its shape in " + type.name + " needs " +
                                   std::to_string(bytes));
  }
  at::IntArrayRef shape(given.dims, static_cast<size_t>(given.rank));
  auto options = at::TensorOptions().dtype(type.torchs);
  if (bytes == 0) return at::empty(shape, options.device(device));
  if (given.data == nullptr) throw Failure(RTT_INVALID, place.text() + " has no data");
  at::Tensor tensor;
  if (given.device < 0 && reinterpret_cast<uintptr_t>(given.data) % static_cast<uintptr_t>(type.bytes) != 0) {
    auto raw = at::empty(shape, options);
    std::memcpy(raw.data_ptr(), given.data, static_cast<size_t>(bytes));
    tensor = std::move(raw);
  } else {
    tensor = at::from_blob(given.data, shape, options.device(to_device(given.device)));
  }
  return tensor.device() == device ? tensor : tensor.to(device, /*non_blocking=*/given.device < 0);
}

rtt_tensor describe(const at::Tensor& tensor) {
  rtt_tensor shown{};
  shown.data = tensor.numel() == 0 ? nullptr : tensor.data_ptr();
  shown.bytes = static_cast<int64_t>(tensor.nbytes());
  shown.dims = tensor.sizes().data();
  shown.rank = static_cast<int32_t>(tensor.dim());
  shown.dtype = element_type(tensor.scalar_type());
  shown.device = tensor.is_cuda() ? tensor.get_device() : -1;
  return shown;
}

}  // namespace runtime_torch
