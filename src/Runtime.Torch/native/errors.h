#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

#include "runtime_torch.h"

namespace runtime_torch {

// A failure found by this library's own checks.
class Failure : public std::exception {
 public:
  Failure(int32_t code, std::string text) : code_(code), text_(std::move(text)) {}
  int32_t code() const noexcept { return code_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  int32_t code_;
  std::string text_;
};

// What a call was doing: which GPU (-1: none) its errors may have broken, and which code an error without a class of its own gets.
struct Doing {
  int32_t device;
  int32_t otherwise;
};

// Fills `error` from the exception being handled; returns the code.
int32_t report(rtt_error* error, Doing doing) noexcept;

// Writes the text without cutting a UTF-8 character; the middle is left out where it does not fit.
void write_message(rtt_error* error, int32_t code, const std::string& text) noexcept;

template <typename Body>
int32_t guarded(rtt_error* error, Doing doing, Body&& body) noexcept {
  try {
    body();
  } catch (...) {
    return report(error, doing);
  }
  if (error != nullptr) {
    error->code = RTT_OK;
    error->message[0] = '\0';
  }
  return RTT_OK;
}

}  // namespace runtime_torch
