#include <c10/core/StreamGuard.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <algorithm>
#include <cstring>

#include "device.h"
#include "errors.h"
#include "outputs.h"

namespace runtime_torch {
namespace {

// The caller may free the inputs once the call has failed, so no copy from them may still run.
void drain(const rtt_method& method) noexcept {
  try {
    if (method.stream) synchronize(*method.stream);
  } catch (...) {
    // The failure that is on its way says it better.
  }
}

std::unique_ptr<rtt_outputs> run(const rtt_method& method, const rtt_argument* arguments, int32_t count,
                                 const rtt_run_options& options) {
  const ModuleState& state = *method.state;
  apply_threads(options.intra_threads);
  // Leaving inference mode turns gradients on again, so the order matters.
  c10::InferenceMode inference(state.inference_mode);
  at::NoGradGuard no_gradients;
  torch::jit::GraphOptimizerEnabledGuard optimized(state.optimized);
  std::optional<c10::StreamGuard> on_stream;
  if (method.stream) on_stream.emplace(*method.stream);
  try {
    std::vector<c10::IValue> inputs = to_stack(method, arguments, count);
    return to_outputs(method.method(inputs), method, options.outputs_on_device != 0);
  } catch (...) {
    drain(method);
    throw;
  }
}

rtt_run_options complete(const rtt_run_options* given) {
  rtt_run_options options{};
  if (given == nullptr) return options;
  if (given->size < static_cast<int32_t>(sizeof(int32_t))) throw Failure(RTT_INVALID, "the run options lack their size");
  std::memcpy(&options, given, std::min(sizeof(options), static_cast<size_t>(given->size)));
  return options;
}

}  // namespace
}  // namespace runtime_torch

// Callers in other languages write these layouts down again.
static_assert(sizeof(rtt_error) == 4100 && sizeof(rtt_text) == 16 && sizeof(rtt_tensor) == 48 && sizeof(rtt_argument) == 24 &&
              sizeof(rtt_argument_info) == 24 && sizeof(rtt_output) == 72 && sizeof(rtt_load_options) == 48 &&
              sizeof(rtt_run_options) == 16);

using namespace runtime_torch;

int32_t rtt_method_run(rtt_method* method, const rtt_argument* arguments, int32_t count, const rtt_run_options* options,
                       rtt_outputs** out, rtt_error* error) {
  int32_t gpu = method == nullptr ? -1 : method->state->gpu();
  return guarded(error, {gpu, RTT_INVALID}, [&] {
    if (method == nullptr || out == nullptr) throw Failure(RTT_INVALID, "method and out must not be null");
    *out = nullptr;
    *out = run(*method, arguments, count, complete(options)).release();
  });
}
