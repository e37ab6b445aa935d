#include <dlfcn.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/modules.h"
#include "ipc/process.h"

namespace hansard::cli {
namespace {

/// Has this process begin anew with malloc asking for huge pages, once. A recognizer walks through tens of megabytes of weights
/// for each word: on large pages that costs a quarter of the page faults and some 5 % less CPU, and 3 % more memory. glibc reads
/// its tunables only when a process begins; other libraries, and kernels without huge pages, do not care.
void restart_on_huge_pages(std::span<const std::string> child_args) {
  constexpr const char* kVariable = "GLIBC_TUNABLES";
  const char* set = std::getenv(kVariable);
  std::string tunables = set == nullptr ? "" : set;
  if (tunables.find("glibc.malloc.hugetlb") != std::string::npos) {
    ::prctl(PR_SET_NAME, "hansard");  // it began as /proc/self/exe
    return;
  }
  tunables += tunables.empty() ? "glibc.malloc.hugetlb=1" : ":glibc.malloc.hugetlb=1";
  const auto exe = ipc::self_executable();
  if (!exe || ::setenv(kVariable, tunables.c_str(), 1) != 0) return;
  std::vector<std::string> words{*exe, "child"};
  words.insert(words.end(), child_args.begin(), child_args.end());
  std::vector<char*> argv;
  for (auto& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  // The file itself, also when another one has taken its name since. When this fails, small pages serve as well.
  ::execv("/proc/self/exe", argv.data());
}

}  // namespace

std::string find_module(const std::string& name) {
  const auto exe = ipc::self_executable();
  if (!exe) return "";
  const std::string dir = exe->substr(0, exe->rfind('/'));
  for (const std::string& folder : {dir, dir + "/lib/hansard", dir + "/../lib/hansard"}) {
    const std::string path = folder + "/libhansard_" + name + ".so";
    std::error_code error;
    if (std::filesystem::exists(path, error)) return path;
  }
  return "";
}

int run_module(const std::string& name, std::span<const std::string> args) {
  const std::string path = find_module(name);
  if (path.empty()) {
    return report({ErrorClass::kNotFound, "cli",
                   "the module libhansard_" + name + ".so is not beside the program; build or install it again"});
  }
  void* module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr)
    return report({ErrorClass::kUnavailable, "cli", std::string("the module cannot be loaded: ") + ::dlerror()});
  const auto main = reinterpret_cast<int (*)(int, char**)>(::dlsym(module, ("hansard_" + name + "_main").c_str()));
  if (main == nullptr) return report({ErrorClass::kInternal, "cli", path + " is not a module of this version"});
  std::vector<std::string> words(args.begin(), args.end());
  std::vector<char*> argv;
  for (auto& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  return main(static_cast<int>(words.size()), argv.data());
}

int cmd_child(std::span<const std::string> args) {
  if (args.empty() || (args[0] != "media" && args[0] != "speech")) return wrong_use("child needs media or speech");
  if (args[0] == "speech") restart_on_huge_pages(args);
  return run_module(args[0], args.subspan(1));
}

int cmd_room(std::span<const std::string> args) {
  std::vector<std::string> words{"room"};
  words.insert(words.end(), args.begin(), args.end());
  bool listens = false;
  for (const auto& a : args) listens = listens || a == "--listen" || a.starts_with("--listen=");
  if (!listens) words.insert(words.end(), {"--listen", "127.0.0.1:8188"});
  std::fprintf(stderr, "hansard: the room server runs until Ctrl-C; open http://ADDRESS:PORT/rooms/NAME/join in a browser%s\n",
               listens ? "" : " (here http://127.0.0.1:8188/rooms/NAME/join)");
  return run_module("media", words);
}

}  // namespace hansard::cli
