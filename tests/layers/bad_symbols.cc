// What core must never contain, for the test of the symbol check: a clock, a file, the environment, a random source, a
// thread, a thrown exception.
#include <pthread.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <stdexcept>

namespace layers_bad {

long now() { return std::chrono::system_clock::now().time_since_epoch().count(); }
bool file(const char* name) { return std::fopen(name, "r") != nullptr; }
const char* environment() { return std::getenv("HOME"); }
unsigned random() { return std::random_device{}() + static_cast<unsigned>(std::rand()); }
int thread(void* (*run)(void*)) {
  pthread_t id;
  return pthread_create(&id, nullptr, run, nullptr);
}
void refuse() { throw std::runtime_error("no"); }

}  // namespace layers_bad
