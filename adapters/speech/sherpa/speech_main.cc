// hansard_speech_child: what `hansard child speech` does, for tests and measurements of this folder.
#include <dlfcn.h>

#include <unistd.h>
#include <climits>
#include <cstdio>
#include <string>

int main(int argc, char** argv) {
  char path[PATH_MAX];
  const ssize_t n = ::readlink("/proc/self/exe", path, sizeof path);
  if (n <= 0) return 1;
  std::string module(path, static_cast<std::size_t>(n));
  module = module.substr(0, module.rfind('/')) + "/libhansard_speech.so";
  void* library = ::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "hansard_speech_child: %s\n", ::dlerror());
    return 1;
  }
  auto* entry = reinterpret_cast<int (*)(int, char**)>(::dlsym(library, "hansard_speech_main"));
  return entry == nullptr ? 1 : entry(argc, argv);
}
