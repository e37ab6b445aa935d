# Compiler flags and the options of the presets.
option(HANSARD_CORE_ONLY "Build core alone (WebAssembly)" OFF)
option(HANSARD_TESTS "Build tests" ON)
option(HANSARD_CORE_TESTS "Build core's tests too" ON)
option(HANSARD_MODULES "Build the media and speech modules, which link GStreamer and ONNX Runtime" ON)
option(HANSARD_FUZZ "Build the fuzz targets with libFuzzer (clang)" OFF)
set(HANSARD_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")
set(HANSARD_FOLDERS "ipc;ports;host;adapters;daemon;cli;sim;fuzz;bench;tests" CACHE STRING
    "The folders built besides core; the sanitizer presets leave out what links uninstrumented libraries")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion)
if(HANSARD_CORE_ONLY)
  return()
endif()

# CHECK stays on in every build type; nothing of ours depends on NDEBUG.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
# The sanitizers' code takes twice as long to optimise as to compile; only a fuzzer runs it for longer than that.
set(CMAKE_CXX_FLAGS_SANITIZE "-O0 -g1")
if(HANSARD_FUZZ)
  set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1")
endif()
# Unoptimised, so that a branch of the source is a branch of the object.
set(CMAKE_CXX_FLAGS_COVERAGE "-O0 --coverage")
add_compile_options(-fstack-protector-strong)
if(HANSARD_SANITIZE)
  add_compile_options(-fsanitize=${HANSARD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HANSARD_SANITIZE})
  # Core has no RTTI, which the vptr check needs.
  if(HANSARD_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize=vptr)
  endif()
endif()
if(HANSARD_FUZZ)
  # Coverage feedback in every library, so that the fuzzer sees into what a target calls.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
