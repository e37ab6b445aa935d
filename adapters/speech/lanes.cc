#include "adapters/speech/lanes.h"

namespace hansard::speech {

Processor best_processor() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("fma") == 0) return Processor::kPlain;
  const bool wide = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
                    __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  if (wide) return Processor::kAvx512;
  if (__builtin_cpu_supports("avx2") != 0) return Processor::kAvx2;
#endif
  return Processor::kPlain;
}

}  // namespace hansard::speech
