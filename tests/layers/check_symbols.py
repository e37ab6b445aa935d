#!/usr/bin/env python3
"""Checks that core's archives ask the system for nothing: no clock, thread, socket, file, environment, random source, and
that they throw nothing. What an archive needs from outside must be in the short list of pure functions below.

usage: check_symbols.py NM ARCHIVE...
"""
import re
import subprocess
import sys

# Pure functions of the C library (memory, text, mathematics), the ends of a failed check, and what the compiler adds.
PURE = re.compile(
    r"""^(mem(chr|cmp|cpy|move|set|rchr)|str(len|cmp|ncmp|chr|rchr|tod|tof|tol|toll|toul|toull)|(v)?snprintf|__v?snprintf_chk
    |(exp|log|log1p|log2|log10|pow|sqrt|floor|ceil|round|lround|llround|trunc|fmod|tanh|ldexp|frexp|modf|hypot|fabs|exp2
    |expm1|sin|cos|tan|atan|atan2|nearbyint|rint|lrint|llrint)f?|div|ldiv|lldiv|abs|isnan|isinf
    |malloc|calloc|realloc|free|qsort|bsearch|abort|__assert_fail|__errno_location
    |localeconv|to(lower|upper)|is(alnum|alpha|digit|space|upper|lower|xdigit|punct)
    |__mem(cpy|move|set)_chk|__stack_chk_(fail|guard)|_GLOBAL_OFFSET_TABLE_|__dso_handle|__cxa_atexit|__cxa_guard_(acquire|release|abort)
    |__cxa_pure_virtual|__gxx_personality_v0|_Unwind_Resume|__cxa_(begin|end)_catch|__tls_get_addr
    |__u?(div|mod)ti3|_?_asan_.*|__ubsan_.*|__sanitizer_.*|__tsan_.*)$""",
    re.VERBOSE,
)
# Of the C++ library: everything but what follows. The __throw_ functions end the program in a build without exceptions'
# handlers; they stand for broken invariants inside containers and are no control flow of ours.
FOREIGN = re.compile(
    r"chrono.*(clock|now)|thread|mutex|condition_variable|future|filesystem|basic_(if|of|if|f)stream|basic_(i|o|io)stream|ios_base"
    r"|random_device|regex|locale::|system_category|_Hash_bytes|_Prime_rehash|getline|__basic_file|pmr::"
)
THROWS = re.compile(r"^__cxa_(throw|rethrow|allocate_exception)$")
# The JSON library keeps the classes of its exceptions although JSON_NOEXCEPTION lets it throw none.
ALLOWED_IN = {"json.cc.o": re.compile(r"^_ZT[IVS](N10__cxxabiv1|St)|^_ZNS?K?St(13runtime_error|9exception)")}
TYPE_INFO = re.compile(r"^_ZT[IS]")


def symbols(nm, archives):
    """(defined, [(archive member, undefined symbol)])"""
    defined, undefined, member = set(), [], ""
    for archive in archives:
        output = subprocess.run([nm, "--format=posix", archive], check=True, capture_output=True, text=True).stdout
        for line in output.split("\n"):
            if line.endswith(":"):
                member = line[line.rfind("[") + 1 :].rstrip("]:") if "[" in line else line.rstrip(":")
                continue
            parts = line.split()
            if len(parts) < 2:
                continue
            if parts[1] in "Uwv" and len(parts) < 3:
                undefined.append((member, parts[0]))
            else:
                defined.add(parts[0])
    return defined, undefined


def readable(name):
    result = subprocess.run(["c++filt", name], capture_output=True, text=True, check=False)
    return result.stdout.strip() or name


def fault_of(member, name):
    if THROWS.match(name):
        return "throws"
    if member in ALLOWED_IN and ALLOWED_IN[member].match(name):
        return None
    if TYPE_INFO.match(name):
        return "needs run-time type information"
    if name.startswith("_Z"):
        text = readable(name)
        return f"needs {text}" if FOREIGN.search(text) or text.startswith("hansard::") else None
    return None if PURE.match(name) else f"needs {name}"


def check(nm, archives):
    defined, undefined = symbols(nm, archives)
    faults = set()
    for member, name in undefined:
        if name in defined:
            continue
        fault = fault_of(member, name)
        if fault:
            faults.add(f"{member}: {fault}")
    return sorted(faults), len({name for _, name in undefined if name not in defined})


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    faults, outside = check(sys.argv[1], sys.argv[2:])
    for fault in faults:
        print(fault)
    print(f"{len(sys.argv) - 2} archives need {outside} symbols from outside, {len(faults)} of them not allowed")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
