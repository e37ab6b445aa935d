# Debian's clang-22 for WebAssembly: core alone, no exceptions, libc++ and wasi-libc from /usr.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_C_COMPILER clang-22)
set(CMAKE_CXX_COMPILER clang++-22)
# The system's ar packs WebAssembly objects too, only without an index: link such archives whole, and collect garbage.
set(CMAKE_AR ar CACHE STRING "")
set(CMAKE_RANLIB true CACHE STRING "")
# The newer name of this triple finds none of Debian's headers; clang says that the older one is deprecated.
set(triple wasm32-wasi)
set(CMAKE_C_COMPILER_TARGET ${triple})
set(CMAKE_CXX_COMPILER_TARGET ${triple})
set(CMAKE_C_FLAGS_INIT "--sysroot=/usr")
set(CMAKE_CXX_FLAGS_INIT "--sysroot=/usr -stdlib=libc++ -fno-exceptions -Wno-deprecated")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-mexec-model=reactor")
set(CMAKE_CXX_FLAGS_RELEASE "-Os -DNDEBUG" CACHE STRING "")
# A reactor has no main, so the compiler check must not link a program.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
