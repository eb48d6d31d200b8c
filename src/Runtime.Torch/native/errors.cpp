#include "errors.h"

#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/jit_exception.h>

#include <cstring>
#include <initializer_list>
#include <new>

#include "device.h"

namespace runtime_torch {
namespace {

bool contains_any(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* part : parts) {
    if (text.find(part) != std::string::npos) return true;
  }
  return false;
}

// The interpreter rethrows what an operator threw as a plain runtime_error, so only the text tells the kinds apart.
bool is_out_of_memory(const std::string& text) {
  return contains_any(text, {"CUDA out of memory", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED",
                             "CUDNN_STATUS_ALLOC_FAILED", "DefaultCPUAllocator: can't allocate memory",
                             "DefaultCPUAllocator: not enough memory", "std::bad_alloc"});
}

bool is_sticky(const std::string& text) {
  return contains_any(text, {"CUDA error: an illegal memory access", "CUDA error: unspecified launch failure",
                             "CUDA error: device-side assert", "CUDA error: uncorrectable ECC", "CUDA error: hardware stack error",
                             "CUDA error: an illegal instruction", "CUDA error: misaligned address",
                             "CUDA error: operation not supported on global/shared address space",
                             "CUDA error: invalid program counter", "CUDA error: the launch timed out",
                             "CUDA error: uncorrectable NVLink error", "CUDA error: Invalid access of peer GPU memory"});
}

bool is_of_device(const std::string& text) {
  return contains_any(text, {"CUDA error", "cuDNN error", "CUDNN_STATUS", "CUBLAS_STATUS", "cuBLAS", "cusolver error", "CUFFT_",
                             "cuFFT error", "cusparse error", "CUDA driver error"});
}

int32_t classify(const std::string& text, Doing doing) {
  if (is_out_of_memory(text)) return RTT_OUT_OF_MEMORY;
  if (doing.device >= 0 && is_of_device(text) && (is_sticky(text) || !device_answers(doing.device))) return RTT_DEVICE_LOST;
  return contains_any(text, {"INTERNAL ASSERT FAILED"}) ? RTT_INTERNAL : doing.otherwise;
}

// Operators' errors that pass through the interpreter carry the C++ frames of their origin in the text.
std::string without_frames(std::string text) {
  for (const char* mark : {"\nException raised from ", "\nframe #0: "}) {
    auto start = text.find(mark);
    if (start != std::string::npos) text.resize(start);
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text.empty() ? "an error without a text" : text;
}

bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

int32_t fill(rtt_error* error, int32_t code, const std::string& text) {
  write_message(error, code, text);
  return code;
}

}  // namespace

void write_message(rtt_error* error, int32_t code, const std::string& text) noexcept {
  if (error == nullptr) return;
  error->code = code;
  constexpr size_t kRoom = RTT_MESSAGE_BYTES - 1;
  if (text.size() <= kRoom) {
    std::memcpy(error->message, text.c_str(), text.size() + 1);
    return;
  }
  // A script's traceback ends with the reason, so most of the room is the end's.
  constexpr char kGap[] = "\n...\n";
  constexpr size_t kGapBytes = sizeof(kGap) - 1;
  size_t head = kRoom / 4;
  size_t tail = text.size() - (kRoom - head - kGapBytes);
  while (head > 0 && continues_character(text[head])) --head;
  while (tail < text.size() && continues_character(text[tail])) ++tail;
  std::memcpy(error->message, text.data(), head);
  std::memcpy(error->message + head, kGap, kGapBytes);
  std::memcpy(error->message + head + kGapBytes, text.data() + tail, text.size() - tail);
  error->message[head + kGapBytes + text.size() - tail] = '\0';
}

int32_t report(rtt_error* error, Doing doing) noexcept {
  try {
    try {
      throw;
    } catch (const Failure& failure) {
      return fill(error, failure.code(), failure.what());
    } catch (const c10::OutOfMemoryError& e) {
      return fill(error, RTT_OUT_OF_MEMORY, without_frames(e.what_without_backtrace()));
    } catch (const c10::NotImplementedError& e) {
      return fill(error, RTT_UNSUPPORTED, without_frames(e.what_without_backtrace()));
    } catch (const c10::Error& e) {
      std::string text = without_frames(e.what_without_backtrace());
      return fill(error, classify(text, doing), text);
    } catch (const torch::jit::JITException& e) {
      return fill(error, doing.otherwise, without_frames(e.what()));
    } catch (const std::bad_alloc&) {
      return fill(error, RTT_OUT_OF_MEMORY, "out of memory on the host");
    } catch (const std::exception& e) {
      std::string text = without_frames(e.what());
      return fill(error, classify(text, doing), text);
    } catch (...) {
      return fill(error, RTT_INTERNAL, "an error that is no C++ exception");
    }
  } catch (...) {
    // Only memory for the text can fail here.
    if (error != nullptr) {
      error->code = RTT_OUT_OF_MEMORY;
      std::strcpy(error->message, "out of memory on the host");
    }
    return RTT_OUT_OF_MEMORY;
  }
}

}  // namespace runtime_torch
