// Runs a fuzz target without libFuzzer: over every file of a corpus, and over a fixed number of seeded variations of
// each (cut short, bytes changed, pieces repeated). The same files give the same run on every machine.
// usage: NAME_fuzz CORPUS_DIRECTORY|FILE...
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "core/base/prng.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr int kVariations = 200;

void run(const std::string& input) {
  // An exact copy on the heap, so that a read past the end is seen.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::string varied(std::string input, hansard::Prng& random) {
  const std::uint64_t changes = 1 + random.below(4);
  for (std::uint64_t i = 0; i < changes && !input.empty(); ++i) {
    const std::size_t at = random.below(input.size());
    const std::size_t length = 1 + random.below(std::min<std::size_t>(input.size() - at, 64));
    switch (random.below(5)) {
      case 0: input.resize(at); break;
      case 1: input[at] = static_cast<char>(random.below(256)); break;
      case 2: input.erase(at, length); break;
      case 3: input.insert(at, input.substr(at, length)); break;
      default: input[at] = static_cast<char>(input[at] ^ (1 << random.below(8))); break;
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (std::filesystem::is_directory(argv[i])) {
      for (const auto& entry : std::filesystem::directory_iterator(argv[i])) files.push_back(entry.path());
    } else {
      files.emplace_back(argv[i]);
    }
  }
  std::ranges::sort(files);
  if (files.empty()) {
    std::fprintf(stderr, "no input: give a corpus directory with at least one file\n");
    return 2;
  }
  run({});
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(file), {}};
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", path.c_str());
      return 1;
    }
    // Named before it runs, so that a crash says which file it was.
    std::fprintf(stderr, "%s\n", path.filename().c_str());
    run(input);
    hansard::Prng random(hansard::fnv1a(input));
    for (int i = 0; i < kVariations; ++i) run(varied(input, random));
  }
  std::printf("%zu files, %d variations of each\n", files.size(), kVariations);
  return 0;
}
