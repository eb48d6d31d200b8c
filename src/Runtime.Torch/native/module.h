#pragma once

#include <torch/script.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime_torch.h"

namespace runtime_torch {

// What a loaded file's methods share.
struct ModuleState {
  torch::jit::Module module;
  c10::Device device;
  bool inference_mode;
  bool optimized;

  int32_t gpu() const noexcept { return device.is_cuda() ? device.index() : -1; }
};

// The caller's options, complete: fields that the caller's header did not have are at their defaults.
rtt_load_options complete(const rtt_load_options* given);

// Throws Failure for a file that is missing or no TorchScript archive.
std::shared_ptr<ModuleState> load(const std::string& path, int32_t device, const rtt_load_options& options);

}  // namespace runtime_torch

struct rtt_module {
  std::shared_ptr<runtime_torch::ModuleState> state;
};

struct rtt_method {
  std::shared_ptr<runtime_torch::ModuleState> state;
  torch::jit::Method method;
  const c10::FunctionSchema* schema;
  std::optional<c10::Stream> stream;
  std::vector<std::string> texts;  // names and types that `arguments` points to
  std::vector<rtt_argument_info> arguments;
  std::string returns;
  std::vector<std::string> fields;  // of a returned named tuple; otherwise empty
};

namespace runtime_torch {

// Throws Failure for a name that the module has no method of.
std::unique_ptr<rtt_method> make_method(std::shared_ptr<ModuleState> state, const std::string& name);

// The method's arguments after self, from what the caller gave; host tensors are used where they are.
std::vector<c10::IValue> to_stack(const rtt_method& method, const rtt_argument* given, int32_t count);

}  // namespace runtime_torch
