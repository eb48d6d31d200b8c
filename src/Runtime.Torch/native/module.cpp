#include "module.h"

#include <torch/csrc/jit/passes/tensorexpr_fuser.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/cuda.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "device.h"
#include "errors.h"

namespace runtime_torch {
namespace {

// Switches of the whole process in libtorch.
void apply_process_flags(const rtt_load_options& options) {
  if (options.jit_executor >= 0) torch::jit::getExecutorMode() = options.jit_executor != 0;
  if (options.jit_profiling >= 0) torch::jit::getProfilingMode() = options.jit_profiling != 0;
  if (options.tensor_fuser >= 0) torch::jit::setTensorExprFuserEnabled(options.tensor_fuser != 0);
}

torch::jit::Module freeze(torch::jit::Module module, const rtt_load_options& options) {
  std::vector<std::string> preserved(options.preserved, options.preserved + options.preserved_count);
  for (const std::string& name : preserved) {
    if (!module.find_method(name)) {
      throw Failure(RTT_INVALID, "the model has no method '" + name + "', which freezing was told to keep");
    }
  }
  module = torch::jit::freeze(module, preserved);
  return options.optimize_for_inference != 0 ? torch::jit::optimize_for_inference(module, preserved) : module;
}

}  // namespace

rtt_load_options complete(const rtt_load_options* given) {
  rtt_load_options options{};
  options.size = sizeof(options);
  options.inference_mode = options.optimized_execution = 1;
  options.jit_executor = options.jit_profiling = options.tensor_fuser = -1;
  if (given == nullptr) return options;
  if (given->size < static_cast<int32_t>(sizeof(int32_t))) throw Failure(RTT_INVALID, "the load options lack their size");
  std::memcpy(&options, given, std::min(sizeof(options), static_cast<size_t>(given->size)));
  if (options.preserved_count < 0 || (options.preserved_count > 0 && options.preserved == nullptr)) {
    throw Failure(RTT_INVALID, "the preserved methods are counted but not given");
  }
  return options;
}

std::shared_ptr<ModuleState> load(const std::string& path, int32_t device, const rtt_load_options& options) {
  c10::Device place = to_device(device);
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) throw Failure(RTT_NOT_FOUND, "there is no file " + path);
  apply_threads();
  apply_process_flags(options);
  at::NoGradGuard no_gradients;
  // The allocators of a GPU are set up by the first tensor there.
  if (place.is_cuda()) at::empty({0}, at::TensorOptions().device(place));
  auto module = torch::jit::load(path, place);
  module.eval();
  for (auto parameter : module.parameters()) parameter.set_requires_grad(false);
  if (options.freeze != 0 || options.optimize_for_inference != 0) module = freeze(std::move(module), options);
  // The weights came by another stream than the one that each instance runs on.
  if (place.is_cuda()) torch::cuda::synchronize(place.index());
  return std::make_shared<ModuleState>(
      ModuleState{std::move(module), place, options.inference_mode != 0, options.optimized_execution != 0});
}

}  // namespace runtime_torch

using namespace runtime_torch;

int32_t rtt_module_load(const char* path, int32_t device, const rtt_load_options* options, rtt_module** out, rtt_error* error) {
  return guarded(error, {device, RTT_NOT_FOUND}, [&] {
    if (path == nullptr || out == nullptr) throw Failure(RTT_INVALID, "path and out must not be null");
    *out = nullptr;
    *out = new rtt_module{load(path, device, complete(options))};
  });
}

void rtt_module_free(rtt_module* module) { delete module; }

int32_t rtt_module_method(rtt_module* module, const char* name, rtt_method** out, rtt_error* error) {
  int32_t gpu = module == nullptr ? -1 : module->state->gpu();
  return guarded(error, {gpu, RTT_INTERNAL}, [&] {
    if (module == nullptr || name == nullptr || out == nullptr) throw Failure(RTT_INVALID, "module, name and out must not be null");
    *out = nullptr;
    *out = make_method(module->state, name).release();
  });
}
