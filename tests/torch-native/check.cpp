// Checks libruntime_torch.so through its C interface alone: check MODELS_DIR [CYCLES]. The models are eng/models/make_torch_models.py's;
// after CYCLES of loading, running and freeing it prints how memory grew. RTT_SHOW=1 prints every error's text. run.sh builds and runs it.
#include <fstream>
#include <thread>

#include "harness.h"

namespace {

void loading_errors() {
  rtt_module* module = nullptr;
  rtt_error error{};
  expect_error(rtt_module_load((models + "/none.pt").c_str(), -1, nullptr, &module, &error), error, RTT_NOT_FOUND, "there is no file");
  expect_error(rtt_module_load((models + "/broken.pt").c_str(), -1, nullptr, &module, &error), error, RTT_NOT_FOUND, "");
  expect_error(rtt_module_load(models.c_str(), -1, nullptr, &module, &error), error, RTT_NOT_FOUND, "there is no file");
  expect_error(rtt_module_load((models + "/cnn.pt").c_str(), 99, nullptr, &module, &error), error, RTT_UNSUPPORTED, "GPU 99");
  expect_error(rtt_module_load(nullptr, -1, nullptr, &module, &error), error, RTT_INVALID, "null");
  expect(module == nullptr, "a failed load leaves no module");
  std::ofstream cut(models + "/cut.pt", std::ios::binary);
  std::ifstream whole(models + "/cnn.pt", std::ios::binary);
  std::vector<char> half(20000);
  whole.read(half.data(), static_cast<std::streamsize>(half.size()));
  cut.write(half.data(), static_cast<std::streamsize>(half.size()));
  cut.close();
  expect_error(rtt_module_load((models + "/cut.pt").c_str(), -1, nullptr, &module, &error), error, RTT_NOT_FOUND, "");
  std::remove((models + "/cut.pt").c_str());
  Loaded two("two_methods");
  rtt_method* method = nullptr;
  expect_error(rtt_module_method(two.module, "decode", &method, &error), error, RTT_INVALID, "no method 'decode'; it has");
}

void argument_errors() {
  Loaded add("add_sub"), masked("masked"), lists("lists"), dicts("dicts"), raises("raises"), two("two_methods");
  Floats x({2, 3}), y({4, 5});
  auto xt = x.tensor(), yt = y.tensor();
  Ran few(add.method, {one(xt)});
  expect_error(few.code, few.error, RTT_INVALID, "forward() expects 2 tensors (INPUT__0, INPUT__1), got 1");
  Ran none(masked.method, {});
  expect_error(none.code, none.error, RTT_INVALID, "forward() expects 1 to 3 arguments (x: Tensor, mask: Optional[Tensor], scale: float), got 0");
  Ran shapes(add.method, {one(xt), one(yt)});
  expect_error(shapes.code, shapes.error, RTT_INVALID, "must match the size");
  Ran product(two.method, {one(xt)});
  expect_error(product.code, product.error, RTT_INVALID, "mat1 and mat2 shapes cannot be multiplied");
  expect(std::strstr(product.error.message, "frame #") == nullptr, "no C++ frames in a message");
  Ran kind(lists.method, {one(xt)});
  expect_error(kind.code, kind.error, RTT_INVALID, "forward() argument 'parts' is List[Tensor], got one tensor");
  Ran missing(lists.method, {{RTT_NONE, 0, nullptr, nullptr}});
  expect_error(missing.code, missing.error, RTT_INVALID, "got nothing");
  Ran key(dicts.method, {{RTT_TENSOR_DICT, 1, &xt, nullptr}});
  expect_error(key.code, key.error, RTT_INVALID, "without a key");
  auto named = x.tensor("other");
  Ran unknown(dicts.method, {{RTT_TENSOR_DICT, 1, &named, nullptr}});
  expect(unknown.code == RTT_INVALID, unknown.error.message);
  Ran raised(raises.method, {one(xt)});
  expect_error(raised.code, raised.error, RTT_INVALID, "the model refuses: größer als erlaubt");
  auto bytes = x.tensor(), type = x.tensor(), rank = x.tensor(), null = x.tensor(), gpu = x.tensor();
  bytes.bytes -= 1, type.dtype = 77, rank.rank = -1, null.data = nullptr, gpu.device = 3;
  Ran b(raises.method, {one(bytes)}), t(raises.method, {one(type)}), r(raises.method, {one(rank)}), n(raises.method, {one(null)}),
      g(raises.method, {one(gpu)});
  expect_error(b.code, b.error, RTT_INVALID, "has 23 bytes, but its shape in float32 needs 24");
  expect_error(t.code, t.error, RTT_UNSUPPORTED, "element type number 77");
  expect_error(r.code, r.error, RTT_INVALID, "rank of -1");
  expect_error(n.code, n.error, RTT_INVALID, "has no data");
  expect_error(g.code, g.error, RTT_UNSUPPORTED, "GPU 3 is not there");
  Loaded complex("complex");
  Ran c(complex.method, {one(xt)});
  expect_error(c.code, c.error, RTT_UNSUPPORTED, "output 1 has elements of type ComplexFloat");
}

void out_of_memory() {
  Loaded identity("two_methods");
  int64_t dims[] = {int64_t{1} << 44, 4};
  float nothing = 0;
  // Too large to be there, so nothing may read it: the product's own memory is asked for first.
  rtt_tensor huge{nullptr, &nothing, (int64_t{1} << 44) * 16, dims, 2, RTT_F32, -1, 0};
  Ran ran(identity.method, {one(huge)});
  expect_error(ran.code, ran.error, RTT_OUT_OF_MEMORY, "");
}

void values() {
  Loaded add("add_sub"), masked("masked"), lists("lists"), dicts("dicts"), nested("nested"), named("named"), strings("strings");
  Floats x({2, 3}), y({2, 3}, 10);
  auto xt = x.tensor("a"), yt = y.tensor("b");
  Ran sums(add.method, {one(xt), one(yt)});
  expect(sums.count == 2 && sums.at(0, 1) == 13 && sums.at(1, 1) == -9 && sums.list[1].index == 1, "add_sub");
  Ran defaults(masked.method, {one(xt)}), mask(masked.method, {one(xt), one(yt), {RTT_NONE, 0, nullptr, nullptr}});
  expect(defaults.count == 1 && defaults.at(0, 0) == 2 && mask.count == 1 && mask.at(0, 0) == 20, "masked");
  rtt_tensor both[] = {xt, yt};
  Ran list(lists.method, {{RTT_TENSOR_LIST, 2, both, nullptr}});
  expect(list.count == 2 && list.list[1].index == 1 && list.list[1].inner == -1 && list.at(1, 0) == 20, "lists");
  Ran dict(dicts.method, {{RTT_TENSOR_DICT, 2, both, nullptr}});
  expect(dict.count == 2 && std::string(dict.list[1].tensor.name) == "product" && dict.at(1, 0) == 10, "dicts");
  Ran nest(nested.method, {one(xt)});
  expect(nest.count == 7 && nest.list[2].index == 1 && nest.list[2].inner == 1 && nest.at(2, 0) == 3, "nested list");
  expect(nest.count == 7 && std::string(nest.list[3].tensor.name) == "negated" && nest.list[3].index == 2, "nested dictionary");
  expect(nest.count == 7 && nest.list[4].index == 4 && nest.list[4].tensor.dtype == RTT_I64 && nest.list[4].tensor.rank == 0 &&
             *static_cast<int64_t*>(nest.list[4].tensor.data) == 6 && *static_cast<bool*>(nest.list[6].tensor.data), "nested numbers");
  Ran pair(named.method, {one(xt)});
  expect(pair.count == 2 && std::string(pair.list[1].tensor.name) == "high" && pair.at(1, 0) == 6, "named");
  rtt_text texts[] = {{"ab", 2}, {"c\0d", 3}};
  Ran upper(strings.method, {{RTT_STRING_LIST, 2, nullptr, texts}});
  expect(upper.count == 2 && upper.list[0].kind == RTT_STRING_LIST && upper.list[0].count == 2 &&
             std::string(upper.list[0].strings[1].data, 3) == std::string("C\0D", 3), "strings");
  const rtt_argument_info* infos = nullptr;
  expect(rtt_method_arguments(masked.method, &infos) == 3 && infos[1].kind == RTT_OPTIONAL_TENSOR && infos[1].has_default == 1 &&
             infos[2].kind == RTT_OTHER && std::string(infos[2].type) == "float", "arguments' descriptions");
  expect(std::string(rtt_method_returns(dicts.method)) == "Dict[str, Tensor]", rtt_method_returns(dicts.method));
}

void element_types_and_sharing() {
  Loaded identity("identity"), views("views");
  const int32_t sizes[] = {0, 1, 1, 1, 2, 4, 8, 2, 2, 4, 8};
  for (int32_t type = RTT_BOOL; type <= RTT_F64; ++type) {
    std::vector<unsigned char> bytes(static_cast<size_t>(sizes[type]) * 6 + 1);
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = type == RTT_BOOL ? i % 2 : static_cast<unsigned char>(i);
    int64_t dims[] = {2, 3};
    // One byte off, so that wider elements are not aligned.
    rtt_tensor tensor{nullptr, bytes.data() + 1, sizes[type] * 6, dims, 2, type, -1, 0};
    Ran ran(identity.method, {one(tensor)});
    bool same = ran.count == 1 && ran.list[0].tensor.dtype == type && ran.list[0].tensor.bytes == tensor.bytes &&
                ran.list[0].tensor.data != tensor.data && std::memcmp(ran.list[0].tensor.data, tensor.data, tensor.bytes) == 0;
    expect(same, "identity of type " + std::to_string(type) + ": " + ran.error.message);
  }
  int64_t empty_dims[] = {0, 7};
  rtt_tensor empty{nullptr, nullptr, 0, empty_dims, 2, RTT_F32, -1, 0};
  Ran nothing(identity.method, {one(empty)});
  expect(nothing.count == 1 && nothing.list[0].tensor.bytes == 0 && nothing.list[0].tensor.dims[1] == 7, "an empty tensor");
  Floats x({2, 3});
  auto xt = x.tensor();
  Ran first(views.method, {one(xt)}), second(views.method, {one(xt)});
  expect(first.count == 4 && first.at(0, 1) == 4 && first.at(1, 1) == 8, "a view is in row-major order");
  expect(first.list[0].tensor.data != first.list[1].tensor.data, "outputs do not share memory");
  expect(first.list[2].tensor.data != second.list[2].tensor.data, "a weight is not handed out");
  float* start = x.data.data();
  expect(first.list[3].tensor.data < start || first.list[3].tensor.data >= start + 6, "an input is not handed out");
}

void freezing_and_methods() {
  const char* keep[] = {"encode"};
  rtt_load_options options{sizeof(rtt_load_options), 1, 1, -1, -1, -1, 1, 0, 1, 0, keep};
  Floats x({3, 4});
  auto xt = x.tensor();
  Loaded plain("two_methods", "encode"), frozen("two_methods", "encode", &options);
  options.optimize_for_inference = 1;
  Loaded optimized("two_methods", "encode", &options);
  Ran a(plain.method, {one(xt)}), b(frozen.method, {one(xt)}), c(optimized.method, {one(xt)});
  expect(a.count == 1 && b.count == 1 && c.count == 1 && a.at(0, 5) == b.at(0, 5) && a.list[0].tensor.dims[1] == 2, "encode");
  options.inference_mode = 0, options.optimized_execution = 0;
  Loaded other("two_methods", "encode", &options);
  Ran d(other.method, {one(xt)});
  expect(d.count == 1, d.error.message);
  const char* unknown[] = {"decode"};
  options.preserved = unknown;
  rtt_module* module = nullptr;
  rtt_error error{};
  expect_error(rtt_module_load((models + "/two_methods.pt").c_str(), -1, &options, &module, &error), error, RTT_INVALID, "'decode'");
}

void threads_share_a_module() {
  Loaded cnn("cnn");
  Floats image({2, 3, 32, 32}, 0);
  auto tensor = image.tensor();
  Ran wanted(cnn.method, {one(tensor)});
  int wrong[2] = {0, 0};
  auto work = [&](int index) {
    rtt_method* mine = nullptr;
    rtt_error error{};
    rtt_module_method(cnn.module, "forward", &mine, &error);
    for (int i = 0; i < 200; ++i) {
      Ran ran(mine, {one(tensor)});
      if (ran.code != RTT_OK || std::abs(ran.at(0, 0) - wanted.at(0, 0)) > 1e-3f * std::abs(wanted.at(0, 0))) ++wrong[index];
    }
    rtt_method_free(mine);
  };
  std::thread first(work, 0), second(work, 1);
  first.join();
  second.join();
  expect(wrong[0] + wrong[1] == 0, "two threads on one module");
}

void setting_threads() {
  rtt_error error{};
  expect(rtt_set_threads(1, 0, &error) == RTT_OK, error.message);
  expect(rtt_set_threads(-1, 0, &error) == RTT_INVALID, "a negative number of threads");
  int64_t allocated = 1, reserved = 1;
  expect(rtt_memory(-1, &allocated, &reserved, &error) == RTT_OK && allocated == 0, "memory of the host");
  expect(rtt_empty_cache(-1, &error) == RTT_OK, "cache of the host");
  expect(rtt_abi() == RTT_ABI && rtt_cuda_device_count() >= 0, "versions");
}

long resident_kilobytes() {
  std::ifstream statm("/proc/self/statm");
  long size = 0, resident = 0;
  statm >> size >> resident;
  return resident * 4;
}

void cycles(int count) {
  long warm = 0;
  for (int i = 0; i < count; ++i) {
    for (const char* name : {"cnn", "encoder", "raises"}) {
      Loaded loaded(name);
      Floats image({1, 3, 32, 32});
      std::vector<int64_t> tokens(16, 5);
      int64_t dims[] = {1, 16};
      bool text = std::string(name) == "encoder";
      rtt_tensor tensor = text ? rtt_tensor{nullptr, tokens.data(), 128, dims, 2, RTT_I64, -1, 0} : image.tensor();
      for (int run = 0; run < 3; ++run) Ran ran(loaded.method, {one(tensor)});
    }
    if (i == count / 4) warm = resident_kilobytes();
    if (i % (count / 4) == 0 || i == count - 1) std::printf("cycle %d: %ld KB resident\n", i, resident_kilobytes());
  }
  long grown = resident_kilobytes() - warm;
  std::printf("%d cycles of three models: %+ld KB over the last three quarters\n", count, grown);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return 2;
  models = arguments[1];
  std::printf("libtorch %s, %d GPUs\n", rtt_version(), rtt_cuda_device_count());
  for (auto* check : {setting_threads, loading_errors, argument_errors, out_of_memory, values, element_types_and_sharing,
                      freezing_and_methods, threads_share_a_module}) {
    check();
  }
  if (count > 2) cycles(std::atoi(arguments[2]));
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
