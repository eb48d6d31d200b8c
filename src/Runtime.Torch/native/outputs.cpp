#include "outputs.h"

#include "device.h"
#include "errors.h"
#include "tensors.h"

namespace runtime_torch {
namespace {

// Where a value stands in what the method returned.
struct Place {
  int32_t index = 0;
  int32_t inner = -1;
  const char* key = nullptr;

  std::string text() const {
    std::string where = "output " + std::to_string(index);
    if (inner >= 0) where += ", element " + std::to_string(inner);
    return key == nullptr ? where : where + " ('" + key + "')";
  }
};

class Collector {
 public:
  Collector(rtt_outputs& outputs, const std::vector<std::string>& fields) : outputs_(outputs), fields_(fields) {}

  void collect(const c10::IValue& value) {
    if (is_group(value)) {
      each(value, [this](const c10::IValue& element, int32_t i, const char* key) { collect_element(element, i, key); });
    } else {
      add(value, {});
    }
  }

 private:
  static bool is_group(const c10::IValue& value) {
    return value.isTuple() || value.isGenericDict() || value.isTensorList() || (value.isList() && !is_flat_list(value));
  }

  // Lists of numbers become one tensor, lists of strings one list of texts.
  static bool is_flat_list(const c10::IValue& value) {
    if (value.isIntList() || value.isDoubleList() || value.isBoolList()) return true;
    return value.isList() && value.toListRef().size() > 0 && value.toListRef()[0].isString();
  }

  template <typename Visit>
  void each(const c10::IValue& value, Visit visit) {
    int32_t i = 0;
    if (value.isTuple()) {
      for (const auto& element : value.toTupleRef().elements()) visit(element, i++, nullptr);
    } else if (value.isGenericDict()) {
      for (const auto& entry : value.toGenericDict()) {
        if (!entry.key().isString()) {
          throw Failure(RTT_UNSUPPORTED, "output " + std::to_string(i) + " has a key that is no string");
        }
        visit(entry.value(), i++, outputs_.texts.emplace_back(entry.key().toStringRef()).c_str());
      }
    } else {
      for (const auto& element : value.toListRef()) visit(element, i++, nullptr);
    }
  }

  void collect_element(const c10::IValue& value, int32_t index, const char* key) {
    size_t field = static_cast<size_t>(index);
    if (key == nullptr && field < fields_.size()) key = fields_[field].c_str();
    if (!is_group(value)) {
      add(value, {index, -1, key});
      return;
    }
    each(value, [&](const c10::IValue& element, int32_t inner, const char* inner_key) {
      Place place{index, inner, inner_key == nullptr ? key : inner_key};
      if (is_group(element)) throw Failure(RTT_UNSUPPORTED, place.text() + " is nested deeper than one level");
      add(element, place);
    });
  }

  void add(const c10::IValue& value, Place place) {
    if (value.isNone()) return;
    if (value.isString()) return add_strings({value.toStringRef()}, place);
    if (value.isTensor()) return add_tensor(value.toTensor(), place);
    if (value.isInt()) return add_tensor(at::scalar_tensor(value.toInt(), at::kLong), place);
    if (value.isDouble()) return add_tensor(at::scalar_tensor(value.toDouble(), at::kDouble), place);
    if (value.isBool()) return add_tensor(at::scalar_tensor(value.toBool(), at::kBool), place);
    if (value.isIntList()) return add_tensor(at::tensor(value.toIntVector(), at::kLong), place);
    if (value.isDoubleList()) return add_tensor(at::tensor(value.toDoubleVector(), at::kDouble), place);
    if (value.isBoolList()) return add_tensor(to_booleans(value), place);
    if (!is_flat_list(value)) throw Failure(RTT_UNSUPPORTED, place.text() + " is " + value.tagKind() + ", which is not served");
    std::vector<std::string> strings;
    for (const c10::IValue& element : value.toListRef()) strings.push_back(element.toStringRef());
    add_strings(strings, place);
  }

  static at::Tensor to_booleans(const c10::IValue& list) {
    std::vector<int64_t> numbers;
    for (const auto& element : list.toListRef()) numbers.push_back(element.toBool() ? 1 : 0);
    return at::tensor(numbers, at::kLong).to(at::kBool);
  }

  void add_tensor(const at::Tensor& tensor, Place place) {
    if (!tensor.defined()) return;
    if (tensor.layout() != c10::kStrided || tensor.is_quantized()) {
      throw Failure(RTT_UNSUPPORTED, place.text() + " is a sparse or quantized tensor");
    }
    if (element_type(tensor.scalar_type()) == 0) {
      throw Failure(RTT_UNSUPPORTED, place.text() + " has elements of type " + c10::toString(tensor.scalar_type()) +
                                         ", which is not served");
    }
    outputs_.tensors.push_back(tensor);
    outputs_.list.push_back(entry(RTT_TENSOR, place));
  }

  void add_strings(const std::vector<std::string>& strings, Place place) {
    auto& texts = outputs_.strings.emplace_back();
    for (const std::string& text : strings) {
      const std::string& kept = outputs_.texts.emplace_back(text);
      texts.push_back({kept.data(), static_cast<int64_t>(kept.size())});
    }
    rtt_output output = entry(RTT_STRING_LIST, place);
    output.count = static_cast<int32_t>(texts.size());
    output.strings = texts.data();
    outputs_.list.push_back(output);
  }

  static rtt_output entry(int32_t kind, Place place) {
    rtt_output output{};
    output.kind = kind;
    output.index = place.index;
    output.inner = place.inner;
    output.tensor.name = place.key;
    output.tensor.device = -1;
    return output;
  }

  rtt_outputs& outputs_;
  const std::vector<std::string>& fields_;
};

// A tensor that nobody else can read or write: not the caller's input, a weight, or another output's memory.
bool is_sole_owner(const at::Tensor& tensor) { return tensor.use_count() == 1 && tensor.storage().use_count() == 1; }

// Makes the tensor one that stands alone, in row-major order, and on the host unless it stays; a copy may still run on the stream.
void settle(at::Tensor& tensor, bool on_device) {
  if (tensor.is_cuda() && !on_device) {
    at::Tensor host = at::empty(tensor.sizes(), tensor.options().device(c10::kCPU).pinned_memory(true));
    host.copy_(tensor, /*non_blocking=*/true);
    tensor = std::move(host);
    return;
  }
  if (tensor.is_neg()) tensor = tensor.resolve_neg();
  if (!tensor.is_contiguous()) tensor = tensor.contiguous();
  else if (!is_sole_owner(tensor)) tensor = tensor.clone();
}

}  // namespace

std::unique_ptr<rtt_outputs> to_outputs(c10::IValue value, const rtt_method& method, bool on_device) {
  auto outputs = std::make_unique<rtt_outputs>();
  Collector(*outputs, method.fields).collect(value);
  value = {};
  for (at::Tensor& tensor : outputs->tensors) settle(tensor, on_device);
  if (method.stream) synchronize(*method.stream);
  size_t next = 0;
  for (rtt_output& output : outputs->list) {
    if (output.kind != RTT_TENSOR) continue;
    const char* name = output.tensor.name;
    output.tensor = describe(outputs->tensors[next++]);
    output.tensor.name = name;
  }
  return outputs;
}

}  // namespace runtime_torch

int32_t rtt_outputs_list(const rtt_outputs* outputs, const rtt_output** out) {
  if (outputs == nullptr || out == nullptr) return 0;
  *out = outputs->list.data();
  return static_cast<int32_t>(outputs->list.size());
}

void rtt_outputs_free(rtt_outputs* outputs) { delete outputs; }
