#include "sim/memory_store.h"

#include "ports/store_conformance.h"

namespace hansard::sim {
namespace {

class MemoryHarness final : public StoreHarness {
 public:
  Store& store() override { return store_; }
  void reopen() override {}

 private:
  MemoryStore store_;
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance,
                         testing::Values(StoreFactory{[] { return std::make_unique<MemoryHarness>(); }}));

}  // namespace
}  // namespace hansard::sim
