#include <c10/core/StreamGuard.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

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

std::unique_ptr<rtt_outputs> run(const rtt_method& method, const rtt_argument* arguments, int32_t count, bool on_device) {
  const ModuleState& state = *method.state;
  apply_threads();
  // Leaving inference mode turns gradients on again, so the order matters.
  c10::InferenceMode inference(state.inference_mode);
  at::NoGradGuard no_gradients;
  torch::jit::GraphOptimizerEnabledGuard optimized(state.optimized);
  std::optional<c10::StreamGuard> on_stream;
  if (method.stream) on_stream.emplace(*method.stream);
  try {
    std::vector<c10::IValue> inputs = to_stack(method, arguments, count);
    return to_outputs(method.method(inputs), method, on_device);
  } catch (...) {
    drain(method);
    throw;
  }
}

bool stay_on_device(const rtt_run_options* options) {
  return options != nullptr && options->size >= static_cast<int32_t>(sizeof(*options)) && options->outputs_on_device != 0;
}

}  // namespace
}  // namespace runtime_torch

// Callers in other languages write these layouts down again.
static_assert(sizeof(rtt_error) == 4100 && sizeof(rtt_text) == 16 && sizeof(rtt_tensor) == 48 && sizeof(rtt_argument) == 24 &&
              sizeof(rtt_argument_info) == 24 && sizeof(rtt_output) == 72 && sizeof(rtt_load_options) == 48 &&
              sizeof(rtt_run_options) == 8);

using namespace runtime_torch;

int32_t rtt_method_run(rtt_method* method, const rtt_argument* arguments, int32_t count, const rtt_run_options* options,
                       rtt_outputs** out, rtt_error* error) {
  int32_t gpu = method == nullptr ? -1 : method->state->gpu();
  return guarded(error, {gpu, RTT_INVALID}, [&] {
    if (method == nullptr || out == nullptr) throw Failure(RTT_INVALID, "method and out must not be null");
    *out = nullptr;
    *out = run(*method, arguments, count, stay_on_device(options)).release();
  });
}
