// What check.cpp's cases are written with: counted expectations, and handles that free themselves.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "runtime_torch.h"

inline std::string models;
inline int passed = 0;
inline int failed = 0;

inline void expect(bool truth, const std::string& what) {
  truth ? ++passed : ++failed;
  if (!truth) std::printf("FAILED: %s\n", what.c_str());
}

inline void expect_error(int32_t code, const rtt_error& error, int32_t wanted, const std::string& part) {
  bool right = code == wanted && error.code == wanted && std::strstr(error.message, part.c_str()) != nullptr;
  expect(right, "wanted code " + std::to_string(wanted) + " and '" + part + "', got " + std::to_string(code) + ": " + error.message);
  if (std::getenv("RTT_SHOW") != nullptr) std::printf("--- %d: %s\n", code, error.message);
}

struct Loaded {
  rtt_module* module = nullptr;
  rtt_method* method = nullptr;
  rtt_error error{};

  explicit Loaded(const std::string& name, const char* method_name = "forward", const rtt_load_options* options = nullptr) {
    if (rtt_module_load((models + "/" + name + ".pt").c_str(), -1, options, &module, &error) == RTT_OK) {
      rtt_module_method(module, method_name, &method, &error);
    }
    expect(method != nullptr, "load " + name + ": " + error.message);
  }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
  ~Loaded() {
    rtt_module_free(module);
    rtt_method_free(method);
  }
};

// A float tensor that owns its memory.
struct Floats {
  std::vector<int64_t> dims;
  std::vector<float> data;

  Floats(std::vector<int64_t> shape, float first = 1) : dims(std::move(shape)) {
    int64_t count = 1;
    for (int64_t dim : dims) count *= dim;
    for (int64_t i = 0; i < count; ++i) data.push_back(first + static_cast<float>(i));
  }
  rtt_tensor tensor(const char* name = nullptr) {
    return {name, data.data(), static_cast<int64_t>(data.size() * 4), dims.data(), static_cast<int32_t>(dims.size()), RTT_F32, -1, 0};
  }
};

inline rtt_argument one(const rtt_tensor& tensor) { return {RTT_TENSOR, 1, &tensor, nullptr}; }

struct Ran {
  rtt_outputs* outputs = nullptr;
  const rtt_output* list = nullptr;
  int32_t count = 0;
  int32_t code;
  rtt_error error{};

  Ran(rtt_method* method, const std::vector<rtt_argument>& arguments) {
    code = rtt_method_run(method, arguments.data(), static_cast<int32_t>(arguments.size()), nullptr, &outputs, &error);
    if (code == RTT_OK) count = rtt_outputs_list(outputs, &list);
  }
  Ran(const Ran&) = delete;
  Ran& operator=(const Ran&) = delete;
  ~Ran() { rtt_outputs_free(outputs); }
  float at(int32_t output, int32_t element) const { return static_cast<float*>(list[output].tensor.data)[element]; }
};
