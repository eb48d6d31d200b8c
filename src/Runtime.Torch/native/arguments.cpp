#include <algorithm>

#include "errors.h"
#include "module.h"
#include "tensors.h"

namespace runtime_torch {
namespace {

const char* kind_text(int32_t kind) {
  switch (kind) {
    case RTT_NONE: return "nothing";
    case RTT_TENSOR: return "one tensor";
    case RTT_TENSOR_LIST: return "a list of tensors";
    case RTT_TENSOR_DICT: return "a dictionary of tensors";
    case RTT_STRING_LIST: return "a list of strings";
    default: return "an argument of no known kind";
  }
}


[[noreturn]] void wrong_count(const rtt_method& method, size_t least, int32_t count) {
  const auto& arguments = method.arguments;
  bool tensors = std::all_of(arguments.begin(), arguments.end(), [](const auto& a) { return a.kind == RTT_TENSOR; });
  std::string listed;
  for (const auto& argument : arguments) {
    listed += (listed.empty() ? "" : ", ") + std::string(argument.name) + (tensors ? "" : ": " + std::string(argument.type));
  }
  std::string expected = std::to_string(least) + (least == arguments.size() ? "" : " to " + std::to_string(arguments.size()));
  std::string noun = tensors && !arguments.empty() ? " tensor" : " argument";
  if (arguments.size() != 1) noun += "s";
  throw Failure(RTT_INVALID, method.method.name() + "() expects " + expected + noun + (listed.empty() ? "" : " (" + listed + ")") +
                                 ", got " + std::to_string(count));
}

[[noreturn]] void wrong_kind(const rtt_method& method, size_t index, int32_t given) {
  throw Failure(RTT_INVALID, ArgumentPlace{method, index}.text() + " is " + method.arguments[index].type + ", got " + kind_text(given));
}

c10::IValue absent(const rtt_method& method, size_t index) {
  const auto& argument = method.schema->arguments()[index + 1];
  if (argument.default_value()) return *argument.default_value();
  if (argument.type()->kind() != c10::TypeKind::OptionalType) wrong_kind(method, index, RTT_NONE);
  return {};
}

c10::IValue to_list(const rtt_argument& given, ArgumentPlace place) {
  c10::List<at::Tensor> list;
  list.reserve(static_cast<size_t>(given.count));
  for (place.element = 0; place.element < given.count; ++place.element) {
    list.push_back(to_tensor(given.tensors[place.element], place.method.state->device, place));
  }
  return list;
}

c10::IValue to_dict(const rtt_argument& given, ArgumentPlace place) {
  c10::Dict<std::string, at::Tensor> dict;
  for (int32_t i = 0; i < given.count; ++i) {
    const rtt_tensor& tensor = given.tensors[i];
    if (tensor.name == nullptr) throw Failure(RTT_INVALID, place.text() + " has a tensor without a key");
    place.key = tensor.name;
    if (!dict.insert(tensor.name, to_tensor(tensor, place.method.state->device, place)).second) {
      throw Failure(RTT_INVALID, place.text() + " is given twice");
    }
    place.key = nullptr;
  }
  return dict;
}

c10::IValue to_strings(const rtt_argument& given) {
  c10::List<std::string> list;
  for (int32_t i = 0; i < given.count; ++i) {
    const rtt_text& text = given.strings[i];
    list.push_back(std::string(text.data, text.data == nullptr ? 0 : static_cast<size_t>(text.bytes)));
  }
  return list;
}

void check_parts(const rtt_argument& given, const ArgumentPlace& place) {
  bool strings = given.kind == RTT_STRING_LIST;
  const void* parts = strings ? static_cast<const void*>(given.strings) : given.tensors;
  if (given.count < 0 || (given.count > 0 && parts == nullptr)) {
    throw Failure(RTT_INVALID, place.text() + " counts parts that are not given");
  }
  if (given.kind == RTT_TENSOR && given.count != 1) {
    throw Failure(RTT_INVALID, place.text() + " is one tensor, got " + std::to_string(given.count));
  }
}

c10::IValue to_value(const rtt_method& method, size_t index, const rtt_argument& given) {
  if (given.kind == RTT_NONE) return absent(method, index);
  int32_t declared = method.arguments[index].kind;
  if (declared == RTT_OPTIONAL_TENSOR) declared = RTT_TENSOR;
  if (declared != given.kind) wrong_kind(method, index, given.kind);
  ArgumentPlace place{method, index};
  check_parts(given, place);
  switch (given.kind) {
    case RTT_TENSOR: return to_tensor(given.tensors[0], method.state->device, place);
    case RTT_TENSOR_LIST: return to_list(given, place);
    case RTT_TENSOR_DICT: return to_dict(given, place);
    default: return to_strings(given);
  }
}

}  // namespace

std::string ArgumentPlace::text() const {
  std::string text = method.method.name() + "() argument '" + method.arguments[index].name + "'";
  if (element >= 0) text += " element " + std::to_string(element);
  return key == nullptr ? text : text + " key '" + key + "'";
}

std::vector<c10::IValue> to_stack(const rtt_method& method, const rtt_argument* given, int32_t count) {
  const auto& arguments = method.arguments;
  size_t least = arguments.size();
  while (least > 0 && arguments[least - 1].has_default != 0) --least;
  size_t got = count < 0 ? 0 : static_cast<size_t>(count);
  if (got < least || got > arguments.size()) wrong_count(method, least, count);
  if (got > 0 && given == nullptr) throw Failure(RTT_INVALID, "arguments must not be null");
  std::vector<c10::IValue> stack;
  // Room for self, which libtorch puts in front.
  stack.reserve(arguments.size() + 1);
  for (size_t i = 0; i < got; ++i) stack.push_back(to_value(method, i, given[i]));
  return stack;
}

}  // namespace runtime_torch
