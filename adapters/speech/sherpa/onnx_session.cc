#include "adapters/speech/sherpa/onnx_session.h"

#include <cstddef>
#include <utility>

// From onnxruntime_c_api.h. Its table of functions only grows at the end, so that a place in it, once given, is kept for good.
extern "C" {
struct OrtApiBase {
  const void* const* (*table)(std::uint32_t version);
  const char* (*version)();
};
const OrtApiBase* OrtGetApiBase();
}

namespace hansard::speech {
namespace {

constexpr std::uint32_t kVersion = 17;
constexpr int kWarning = 2;
constexpr int kDeviceAllocator = 0;
constexpr int kDefaultMemory = 0;
constexpr int kFloat = 1;
constexpr int kInt64 = 7;

using Status = void*;  // null: all is well
using Release = void (*)(void*);

struct Functions {
  const void* const* table = nullptr;

  template <class Function>
  Function at(std::size_t place) const {
    return reinterpret_cast<Function>(const_cast<void*>(table[place]));
  }

  Status create_environment(void** out) const { return at<Status (*)(int, const char*, void**)>(3)(kWarning, "hansard", out); }
  Status create_session(void* environment, const char* path, void* options, void** out) const {
    return at<Status (*)(void*, const char*, void*, void**)>(7)(environment, path, options, out);
  }
  Status run(void* session, const char* const* names, const void* const* inputs, std::size_t count, const char* const* output,
             void** out) const {
    using Function = Status (*)(void*, const void*, const char* const*, const void* const*, std::size_t, const char* const*,
                                std::size_t, void**);
    return at<Function>(9)(session, nullptr, names, inputs, count, output, 1, out);
  }
  Status create_options(void** out) const { return at<Status (*)(void**)>(10)(out); }
  Status set_threads(void* options, int count) const { return at<Status (*)(void*, int)>(24)(options, count); }
  Status create_tensor(void* memory, const void* data, std::size_t bytes, const std::vector<std::int64_t>& shape, int type,
                       void** out) const {
    using Function = Status (*)(void*, void*, std::size_t, const std::int64_t*, std::size_t, int, void**);
    return at<Function>(49)(memory, const_cast<void*>(data), bytes, shape.data(), shape.size(), type, out);
  }
  Status data(void* value, void** out) const { return at<Status (*)(void*, void**)>(51)(value, out); }
  Status count(void* shape, std::size_t* out) const { return at<Status (*)(void*, std::size_t*)>(64)(shape, out); }
  Status shape(void* value, void** out) const { return at<Status (*)(void*, void**)>(65)(value, out); }
  Status create_memory(void** out) const { return at<Status (*)(int, int, void**)>(69)(kDeviceAllocator, kDefaultMemory, out); }

  // Each takes null for nothing.
  Release release_environment() const { return at<Release>(92); }
  Release release_status() const { return at<Release>(93); }
  Release release_memory() const { return at<Release>(94); }
  Release release_session() const { return at<Release>(95); }
  Release release_value() const { return at<Release>(96); }
  Release release_shape() const { return at<Release>(99); }
  Release release_options() const { return at<Release>(100); }

  /// True when all is well.
  bool good(Status status) const {
    if (status == nullptr) return true;
    release_status()(status);
    return false;
  }
};

/// Releases what it holds.
class Handle {
 public:
  explicit Handle(Release release) : release_(release) {}
  ~Handle() {
    if (handle_ != nullptr) release_(handle_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  void* get() const { return handle_; }
  void** out() { return &handle_; }

 private:
  Release release_;
  void* handle_ = nullptr;
};

}  // namespace

// They are released in the opposite order.
struct OnnxSession::Handles {
  explicit Handles(const Functions& f)
      : functions(f), environment(f.release_environment()), memory(f.release_memory()), session(f.release_session()) {}
  Functions functions;
  Handle environment;
  Handle memory;
  Handle session;
};

OnnxSession::OnnxSession(std::unique_ptr<Handles> handles) : handles_(std::move(handles)) {}
OnnxSession::~OnnxSession() = default;

Result<std::unique_ptr<OnnxSession>> OnnxSession::load(const std::string& path) {
  const Functions f{OrtGetApiBase()->table(kVersion)};
  if (f.table == nullptr) return fail(ErrorClass::kInvalid, "speech", "this ONNX Runtime does not know its interface 17");
  auto handles = std::make_unique<Handles>(f);
  Handle options(f.release_options());
  const bool loaded = f.good(f.create_environment(handles->environment.out())) &&
                      f.good(f.create_memory(handles->memory.out())) && f.good(f.create_options(options.out())) &&
                      f.good(f.set_threads(options.get(), 1)) &&
                      f.good(f.create_session(handles->environment.get(), path.c_str(), options.get(), handles->session.out()));
  if (!loaded) return fail(ErrorClass::kInvalid, "speech", "ONNX Runtime refuses the model file " + path);
  return std::unique_ptr<OnnxSession>(new OnnxSession(std::move(handles)));
}

Result<std::vector<float>> OnnxSession::run(std::span<const Input> inputs, const char* output) {
  const Functions& f = handles_->functions;
  const auto failed = [] { return fail(ErrorClass::kInternal, "speech", "ONNX Runtime cannot compute the model"); };
  std::vector<std::unique_ptr<Handle>> held;
  std::vector<const char*> names;
  std::vector<const void*> values;
  for (const Input& input : inputs) {
    auto& value = held.emplace_back(std::make_unique<Handle>(f.release_value()));
    const bool made = std::visit(
        [&](const auto& data) {
          constexpr int type = std::is_same_v<decltype(data), const std::span<const float>&> ? kFloat : kInt64;
          return f.good(f.create_tensor(handles_->memory.get(), data.data(), data.size_bytes(), input.shape, type, value->out()));
        },
        input.values);
    if (!made) return failed();
    names.push_back(input.name);
    values.push_back(value->get());
  }
  Handle result(f.release_value());
  if (!f.good(f.run(handles_->session.get(), names.data(), values.data(), names.size(), &output, result.out()))) return failed();
  Handle shape(f.release_shape());
  std::size_t count = 0;
  void* data = nullptr;
  if (!f.good(f.shape(result.get(), shape.out())) || !f.good(f.count(shape.get(), &count)) ||
      !f.good(f.data(result.get(), &data)))
    return failed();
  const auto* first = static_cast<const float*>(data);
  return std::vector<float>(first, first + count);
}

}  // namespace hansard::speech
