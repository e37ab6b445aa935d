#!/usr/bin/env python3
"""Checks that includes point one way (ARCHITECTURE.md), that core stays pure, and that a third party's header appears
only in the .cc files of the one adapter that wraps it. Long files are named, but are no failure.

usage: check_includes.py REPOSITORY
"""
import os
import re
import sys

CORE = {
    "core/base": set(),
    "core/audit": {"core/base"},
    "core/transcript": {"core/base"},
    "core/calendar": {"core/base"},
    "core/platform": {"core/base"},
    "core/meeting": {"core/base"},
    "core/analysis": {"core/base", "core/transcript"},
    "core/privacy": {"core/base", "core/transcript"},
    "core/tasks": {"core/base", "core/analysis"},
    "core/flow": {f"core/{name}" for name in ("base audit transcript calendar platform meeting analysis privacy tasks".split())},
}
DOMAIN = set(CORE) - {"core/flow"}
ADAPTERS = "adapters"  # any adapter; which one may see which is decided below
ALLOWED = {
    **CORE,
    "ports": {"core/base", "core/audit", "core/transcript"},
    "ipc": {"core/base", "core/transcript"},
    "host": set(CORE) | {"ports"},
    "adapters": DOMAIN | {"ports", "ipc"},
    "sim": set(CORE) | {"ports", "host"},
    "daemon": set(CORE) | {"ports", "ipc", "host", ADAPTERS},
    "cli": set(CORE) | {"ports", "ipc", "host", "daemon", ADAPTERS},
    "fuzz": set(CORE) | {"ports", "ipc", "host", ADAPTERS},
    "bench": set(CORE) | {"ports", "ipc", "host", "daemon", "sim", ADAPTERS},
    "tests": set(CORE) | {"ports", "ipc", "host", "daemon", "sim", ADAPTERS},
}

# All that core may include from the standard library: no clock, thread, stream, file, locale, random source, regex, and
# no container whose order is not defined.
CORE_STANDARD = set(
    """algorithm array bit bitset cctype charconv climits cmath compare concepts cstddef cstdint cstdio cstdlib cstring
    deque expected functional initializer_list iterator limits list map memory new numeric optional queue ranges set span
    stack string string_view tuple type_traits utility variant vector version""".split()
)
# Third-party headers, and the folders whose .cc files may include them.
THIRD_PARTY = [
    (r"nlohmann/", {"core/base"}),
    (r"boost/", {"adapters", "daemon"}),
    (r"expat\.h", {"core/base"}),
    (r"sherpa-onnx/", {"adapters/speech"}),
    (r"onnxruntime", {"adapters/speech"}),
    (r"gst/|glib|gio/|gobject/", {"adapters/webrtc", "adapters/gst", "adapters/media", "adapters/audio", "adapters/room"}),
    (r"opus/", {"adapters/webrtc"}),
    (r"libsoup/", {"adapters/webrtc", "adapters/room"}),
    (r"curl/", {"adapters/curl", "adapters/http"}),
    (r"sqlite3\.h", {"adapters/sqlite"}),
    (r"libpq|pqxx/", {"adapters/postgres"}),
    (r"sodium", {"adapters/keys"}),
    (r"openssl/", {"adapters/openssl", "adapters/webrtc"}),
    (r"toml\+\+/|toml\.hpp", {"adapters/toml", "adapters/config", "daemon", "cli"}),
]
TESTS_ONLY = re.compile(r"gtest/|gmock/|rapidcheck")
SYSTEM = re.compile(r"(sys|netinet|arpa|linux|net)/[a-z_]+\.h$|[a-z_]+\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
CORE_CALLS = re.compile(r"\b(getenv|fopen|popen|system_clock|steady_clock|random_device|std::regex|std::thread|std::rand)\b")
LINES_MAX = 600


def unit_of(path):
    """The unit of a path from the root: "core/base", "adapters/sqlite", "ports", ... or None outside the table."""
    parts = path.split("/")
    if parts[0] in ("core", "adapters") and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0] if parts[0] in ALLOWED else None


def may_see(user, used):
    if user == used:
        return True
    allowed = ALLOWED.get("adapters" if user.startswith("adapters/") else user, set())
    return used in allowed or (used.startswith("adapters/") and ADAPTERS in allowed)


def check_quoted(root, path, included, is_test):
    user, used = unit_of(path), unit_of(included)
    if not os.path.exists(os.path.join(root, included)):
        return f'"{included}" is not a path from the root of the repository'
    if used is None or user is None:
        return None
    # What a test proves may need more of core than the code it tests.
    if is_test and used.startswith("core/") and not user.startswith("core/"):
        return None
    return None if may_see(user, used) else f"{user} must not include {used} ({included})"


def check_angled(path, included, is_test):
    unit = unit_of(path)
    if TESTS_ONLY.match(included):
        return None if is_test or unit in ("tests", "fuzz", "bench", "sim") else f"<{included}> belongs in tests only"
    for pattern, folders in THIRD_PARTY:
        if not re.match(pattern, included):
            continue
        if not path.endswith(".cc"):
            return f"<{included}> is a third party's and belongs in a .cc file"
        if unit in ("tests", "bench") or unit in folders or ("adapters" in folders and unit.startswith("adapters/")):
            return None
        return f"<{included}> belongs in {' or '.join(sorted(folders))} only"
    standard = "/" not in included and "." not in included
    if not standard and not SYSTEM.match(included):
        return f"<{included}> is not known here: add it to tests/layers with the folder that may include it"
    if unit and unit.startswith("core/") and not is_test and included not in CORE_STANDARD:
        return f"core must not include <{included}>"
    return None


def sources(root):
    for top in sorted(ALLOWED.keys() | {"core", "adapters"}):
        if "/" in top:
            continue
        for folder, folders, files in os.walk(os.path.join(root, top)):
            folders[:] = sorted(f for f in folders if f not in ("node_modules", "build"))
            for name in sorted(files):
                # The bad samples of this check's own test are bad on purpose.
                if name.endswith((".h", ".cc")) and name != "bad_symbols.cc":
                    yield os.path.relpath(os.path.join(folder, name), root)


def check(root):
    """(errors, notes): one line each."""
    errors, notes, count = [], [], 0
    for path in sources(root):
        count += 1
        is_test = path.endswith(("_test.cc", "_conformance.h", "test_support.h", "_harness.h", "testing.h"))
        in_core = path.startswith("core/") and not is_test
        with open(os.path.join(root, path), encoding="utf-8") as file:
            lines = file.read().split("\n")
        if len(lines) > LINES_MAX:
            notes.append(f"{path}: {len(lines)} lines; is it two ideas?")
        for number, line in enumerate(lines, 1):
            found = INCLUDE.match(line)
            fault = None
            if found and found.group(1) == '"':
                fault = check_quoted(root, path, found.group(2), is_test)
            elif found:
                fault = check_angled(path, found.group(2), is_test)
            elif in_core and CORE_CALLS.search(line.split("//")[0]):
                fault = f"core must not use {CORE_CALLS.search(line).group(1)}"
            if fault:
                errors.append(f"{path}:{number}: {fault}")
    if not count:
        errors.append(f"no sources under {root}")
    return errors, notes, count


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    errors, notes, count = check(sys.argv[1])
    for line in notes + errors:
        print(line)
    print(f"{count} files, {len(errors)} faults")
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
