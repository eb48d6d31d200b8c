#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "module.h"

struct rtt_outputs {
  std::vector<at::Tensor> tensors;
  std::list<std::string> texts;  // keys and strings; `list` and `strings` point into them, so they must not move
  std::list<std::vector<rtt_text>> strings;
  std::vector<rtt_output> list;
};

namespace runtime_torch {

// Takes the returned value apart. Call it while the inputs are still held: an output that anyone else holds is copied.
std::unique_ptr<rtt_outputs> to_outputs(c10::IValue value, const rtt_method& method, bool on_device);

}  // namespace runtime_torch
