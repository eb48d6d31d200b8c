#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "module.h"

struct rtt_outputs {
  std::vector<at::Tensor> tensors;
  std::deque<std::string> texts;  // keys and strings; a deque never moves what `list` and `strings` point to
  std::deque<std::vector<rtt_text>> strings;
  std::vector<rtt_output> list;
};

namespace runtime_torch {

// Takes the returned value apart. Call it while the inputs are still held: an output that anyone else holds is copied.
std::unique_ptr<rtt_outputs> to_outputs(c10::IValue value, const rtt_method& method, bool on_device);

}  // namespace runtime_torch
