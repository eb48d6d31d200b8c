#include "device.h"
#include "errors.h"
#include "module.h"

namespace runtime_torch {
namespace {

int32_t kind_of(const c10::TypePtr& type) {
  const c10::TypePtr tensor = c10::TensorType::get();
  if (type->isSubtypeOf(*tensor)) return RTT_TENSOR;
  if (auto optional = type->cast<c10::OptionalType>()) {
    int32_t kind = kind_of(optional->getElementType());
    return kind == RTT_TENSOR ? static_cast<int32_t>(RTT_OPTIONAL_TENSOR) : kind;
  }
  if (auto list = type->cast<c10::ListType>()) {
    const auto& element = list->getElementType();
    if (element->isSubtypeOf(*tensor)) return RTT_TENSOR_LIST;
    return element->kind() == c10::TypeKind::StringType ? RTT_STRING_LIST : RTT_OTHER;
  }
  if (auto dict = type->cast<c10::DictType>()) {
    bool named = dict->getKeyType()->kind() == c10::TypeKind::StringType && dict->getValueType()->isSubtypeOf(*tensor);
    return named ? RTT_TENSOR_DICT : RTT_OTHER;
  }
  return RTT_OTHER;
}

std::string methods_of(const torch::jit::Module& module) {
  std::string names;
  for (const auto& method : module.get_methods()) {
    // What Python's class machinery adds is of no use to a caller.
    if (method.name().rfind("__", 0) == 0) continue;
    names += (names.empty() ? "" : ", ") + method.name();
  }
  return names.empty() ? "none" : names;
}

void describe_arguments(rtt_method& method) {
  const auto& arguments = method.schema->arguments();
  // Never grown afterwards: the descriptions point into it.
  method.texts.reserve(2 * arguments.size());
  for (size_t i = 1; i < arguments.size(); ++i) {
    const auto& argument = arguments[i];
    const char* name = method.texts.emplace_back(argument.name()).c_str();
    const char* type = method.texts.emplace_back(argument.type()->annotation_str()).c_str();
    method.arguments.push_back({name, type, kind_of(argument.type()), argument.default_value() ? 1 : 0});
  }
}

void describe_returns(rtt_method& method) {
  const auto& returns = method.schema->returns();
  method.returns = returns.empty() ? "None" : returns[0].type()->annotation_str();
  auto tuple = returns.empty() ? nullptr : returns[0].type()->cast<c10::TupleType>();
  if (tuple == nullptr || tuple->schema() == nullptr) return;
  for (const auto& field : tuple->schema()->arguments()) method.fields.push_back(field.name());
}

}  // namespace

std::unique_ptr<rtt_method> make_method(std::shared_ptr<ModuleState> state, const std::string& name) {
  auto found = state->module.find_method(name);
  if (!found) throw Failure(RTT_INVALID, "the model has no method '" + name + "'; it has " + methods_of(state->module));
  std::unique_ptr<rtt_method> method(new rtt_method{state, *found, nullptr, {}, {}, {}, {}, {}});
  method->schema = &method->method.function().getSchema();
  if (state->device.is_cuda()) method->stream = take_stream(state->device);
  describe_arguments(*method);
  describe_returns(*method);
  return method;
}

}  // namespace runtime_torch

void rtt_method_free(rtt_method* method) { delete method; }

int32_t rtt_method_arguments(const rtt_method* method, const rtt_argument_info** out) {
  if (method == nullptr || out == nullptr) return 0;
  *out = method->arguments.data();
  return static_cast<int32_t>(method->arguments.size());
}

const char* rtt_method_returns(const rtt_method* method) { return method == nullptr ? "" : method->returns.c_str(); }
