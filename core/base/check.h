#pragma once
// CHECK(condition) stops the program when an invariant of our own code is broken; it stays on in release builds.
// It does no I/O, so that core may use it: the trap's address and the core dump say where.
#define CHECK(condition)             \
  do {                               \
    if (!(condition)) [[unlikely]] { \
      __builtin_trap();              \
    }                                \
  } while (false)
