// The median time of a TorchScript file's forward, called from C++: bare [--shim] [--gpu N] [--seconds S] MODEL TYPE:DIMS...
// TYPE is f32, f16 or i64 and DIMS such as 1x3x32x32. With --shim the same loop also runs through libruntime_torch.so's C interface,
// in turn with the bare one, so that both see the same machine. run.sh beside this file builds and runs it.
#include <ATen/Parallel.h>
#include <torch/script.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "runtime_torch.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  bool shim = false;
  int gpu = -1;
  double seconds = 6;
  std::string model;
  std::vector<std::string> inputs;
};

Arguments parse(int count, char** words) {
  Arguments parsed;
  for (int i = 1; i < count; ++i) {
    std::string word = words[i];
    if (word == "--shim") parsed.shim = true;
    else if (word == "--gpu" && i + 1 < count) parsed.gpu = std::atoi(words[++i]);
    else if (word == "--seconds" && i + 1 < count) parsed.seconds = std::atof(words[++i]);
    else if (parsed.model.empty()) parsed.model = word;
    else parsed.inputs.push_back(word);
  }
  return parsed;
}

// Random numbers in the host's memory, as a server would have received them.
at::Tensor make_input(const std::string& text) {
  auto colon = text.find(':');
  std::vector<int64_t> dims;
  for (size_t at = colon + 1; at < text.size();) {
    size_t end = std::min(text.find('x', at), text.size());
    dims.push_back(std::stoll(text.substr(at, end - at)));
    at = end + 1;
  }
  std::string type = text.substr(0, colon);
  if (type == "i64") return at::randint(0, 200, dims, at::kLong);
  return at::randn(dims).to(type == "f16" ? at::kHalf : at::kFloat);
}

// What anyone would write: inputs to the device, forward, outputs to the host, freed.
class Bare {
 public:
  Bare(const std::string& path, at::Device device, const std::vector<at::Tensor>& inputs)
      : module_(torch::jit::load(path, device)), device_(device), inputs_(inputs) {
    module_.eval();
  }
  void run() {
    c10::InferenceMode inference;
    std::vector<c10::IValue> stack;
    for (const auto& input : inputs_) stack.emplace_back(at::from_blob(input.data_ptr(), input.sizes(), input.options()).to(device_));
    c10::IValue output = module_.forward(std::move(stack));
    if (output.isTensor()) last_ = output.toTensor().to(at::kCPU);
  }
  const at::Tensor& last() const { return last_; }

 private:
  torch::jit::Module module_;
  at::Device device_;
  const std::vector<at::Tensor>& inputs_;
  at::Tensor last_;
};

class Shim {
 public:
  Shim(const std::string& path, int gpu, const std::vector<at::Tensor>& inputs) {
    check(rtt_module_load(path.c_str(), gpu, nullptr, &module_, &error_));
    check(rtt_module_method(module_, "forward", &method_, &error_));
    for (const auto& input : inputs) {
      int32_t type = input.scalar_type() == at::kLong ? RTT_I64 : input.scalar_type() == at::kHalf ? RTT_F16 : RTT_F32;
      tensors_.push_back({nullptr, input.data_ptr(), static_cast<int64_t>(input.nbytes()), input.sizes().data(),
                          static_cast<int32_t>(input.dim()), type, -1, 0});
    }
    for (const auto& tensor : tensors_) arguments_.push_back({RTT_TENSOR, 1, &tensor, nullptr});
  }
  ~Shim() {
    rtt_outputs_free(outputs_);
    rtt_method_free(method_);
    rtt_module_free(module_);
  }
  void run() {
    rtt_outputs_free(outputs_);
    check(rtt_method_run(method_, arguments_.data(), static_cast<int32_t>(arguments_.size()), nullptr, &outputs_, &error_));
  }
  bool same_as(const at::Tensor& wanted) const {
    const rtt_output* list = nullptr;
    if (rtt_outputs_list(outputs_, &list) < 1 || !wanted.defined()) return true;
    auto mine = at::from_blob(list[0].tensor.data, wanted.sizes(), wanted.options());
    return at::allclose(mine.to(at::kFloat), wanted.to(at::kFloat), 1e-3, 1e-3);
  }

 private:
  void check(int32_t code) {
    if (code == RTT_OK) return;
    std::fprintf(stderr, "%s\n", error_.message);
    std::exit(1);
  }
  rtt_error error_{};
  rtt_module* module_ = nullptr;
  rtt_method* method_ = nullptr;
  rtt_outputs* outputs_ = nullptr;
  std::vector<rtt_tensor> tensors_;
  std::vector<rtt_argument> arguments_;
};

template <typename Runner>
void time_one(Runner& runner, std::vector<double>& microseconds) {
  auto start = Clock::now();
  runner.run();
  microseconds.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
}

double median(std::vector<double>& values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int count, char** words) {
  Arguments arguments = parse(count, words);
  if (arguments.inputs.empty()) {
    std::fprintf(stderr, "usage: bare [--shim] [--gpu N] [--seconds S] MODEL TYPE:DIMS...\n");
    return 2;
  }
  at::set_num_threads(1);
  rtt_error error{};
  rtt_set_threads(1, 0, &error);
  std::vector<at::Tensor> inputs;
  for (const auto& text : arguments.inputs) inputs.push_back(make_input(text));
  at::Device device = arguments.gpu < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(arguments.gpu));
  Bare bare(arguments.model, device, inputs);
  std::optional<Shim> shim;
  if (arguments.shim) shim.emplace(arguments.model, arguments.gpu, inputs);
  // The profiling executor compiles on the first runs.
  for (int i = 0; i < 20; ++i) {
    bare.run();
    if (shim) shim->run();
  }
  if (shim && !shim->same_as(bare.last())) {
    std::fprintf(stderr, "the outputs differ\n");
    return 1;
  }
  std::vector<double> bare_times, shim_times;
  auto end = Clock::now() + std::chrono::duration<double>(arguments.seconds);
  for (bool shim_first = false; Clock::now() < end; shim_first = !shim_first) {
    // The second of a pair finds warmer caches, so they take turns there as well.
    if (shim && shim_first) time_one(*shim, shim_times);
    time_one(bare, bare_times);
    if (shim && !shim_first) time_one(*shim, shim_times);
  }
  double bare_median = median(bare_times);
  std::printf("%s: bare %.1f us, %zu runs", arguments.model.c_str(), bare_median, bare_times.size());
  if (shim) std::printf("; shim %.1f us, ratio %.3f", median(shim_times), median(shim_times) / bare_median);
  std::printf("\n");
}
