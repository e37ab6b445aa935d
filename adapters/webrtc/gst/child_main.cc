// Loads the media module as the program does, without the rest of the program:
//   hansard_media_child [child media] ROLE [ARGS...]
#include <dlfcn.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <string>
#include <string_view>

int main(int argc, char** argv) {
  int first = 1;
  if (argc > 3 && std::string_view(argv[1]) == "child" && std::string_view(argv[2]) == "media") first = 3;
  char path[PATH_MAX] = {};
  if (::readlink("/proc/self/exe", path, sizeof path - 1) <= 0) return 1;
  std::string module = path;
  module.resize(module.rfind('/') + 1);
  module += "libhansard_media.so";
  void* library = ::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "hansard: the media module cannot be loaded: %s\n", ::dlerror());
    return 1;
  }
  const auto entry = reinterpret_cast<int (*)(int, char**)>(::dlsym(library, "hansard_media_main"));
  if (entry == nullptr) return 1;
  return entry(argc - first, argv + first);
}
