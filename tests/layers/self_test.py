#!/usr/bin/env python3
"""Shows that the layer checks can fail: builds a small wrong repository and reads a wrong archive, and expects every
fault by name. usage: self_test.py NM BAD_ARCHIVE"""
import os
import sys
import tempfile

import check_includes
import check_symbols

BAD_TREE = {
    "core/base/text.h": "#include <string>\n",
    "core/base/reads.cc": "#include <fstream>\n",
    "core/base/asks.cc": 'const char* home() { return getenv("HOME"); }\n',
    "core/calendar/up.h": '#include "core/flow/step.h"\n',
    "core/calendar/order.cc": "#include <unordered_map>\n",
    "core/calendar/parse.cc": "#include <nlohmann/json.hpp>\n",
    "core/flow/step.h": '#include "core/base/text.h"\n#include "ports/store.h"\n',
    "ports/store.h": "#include <sqlite3.h>\n",
    "adapters/sqlite/store.cc": '#include <sqlite3.h>\n#include "adapters/curl/client.h"\n',
    "adapters/curl/client.h": '#include "client.h"\n',
    "host/run.cc": '#include "adapters/sqlite/store.h"\n#include <gtest/gtest.h>\n',
    "adapters/sqlite/store.h": "#include <libfoo/foo.h>\n",
}
EXPECTED_INCLUDES = [
    "core/base/asks.cc:1: core must not use getenv",
    "core/base/reads.cc:1: core must not include <fstream>",
    "core/calendar/order.cc:1: core must not include <unordered_map>",
    "core/calendar/parse.cc:1: <nlohmann/json.hpp> belongs in core/base only",
    "core/calendar/up.h:1: core/calendar must not include core/flow (core/flow/step.h)",
    "core/flow/step.h:2: core/flow must not include ports (ports/store.h)",
    'adapters/curl/client.h:1: "client.h" is not a path from the root of the repository',
    "adapters/sqlite/store.cc:2: adapters/sqlite must not include adapters/curl (adapters/curl/client.h)",
    "adapters/sqlite/store.h:1: <libfoo/foo.h> is not known here: add it to tests/layers with the folder that may include it",
    "host/run.cc:1: host must not include adapters/sqlite (adapters/sqlite/store.h)",
    "host/run.cc:2: <gtest/gtest.h> belongs in tests only",
    "ports/store.h:1: <sqlite3.h> is a third party's and belongs in a .cc file",
]
EXPECTED_SYMBOLS = ["clock", "fopen", "getenv", "random_device", "rand", "pthread_create", "throws", "run-time type"]


def main():
    with tempfile.TemporaryDirectory() as root:
        for path, text in BAD_TREE.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        errors, _, _ = check_includes.check(root)
    wrong = [f"not found: {line}" for line in EXPECTED_INCLUDES if line not in errors]
    wrong += [f"found for nothing: {line}" for line in errors if line not in EXPECTED_INCLUDES]

    faults, _ = check_symbols.check(sys.argv[1], [sys.argv[2]])
    wrong += [f"symbol not refused: {name}" for name in EXPECTED_SYMBOLS if not any(name in fault for fault in faults)]
    for line in wrong:
        print(line)
    print(f"{len(EXPECTED_INCLUDES) + len(EXPECTED_SYMBOLS) - len(wrong)} faults found as they should be")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
