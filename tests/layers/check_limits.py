#!/usr/bin/env python3
"""docs/limits.md against the code: each limit has that name and that value in that file.

usage: check_limits.py ROOT
"""
import pathlib
import re
import sys


def rows(text):
    """(name, value, file) of each row of the tables that names a constant."""
    for line in text.splitlines():
        cells = [c.strip() for c in line.split("|")[1:-1]]
        if len(cells) != 5:
            continue
        name = re.search(r"`(\w+)`$", cells[0])
        value = re.match(r"`([^`]+)`", cells[1])
        if name and value:
            yield name[1], value[1], cells[2]


def check(root):
    faults, count = [], 0
    for name, value, file in rows((root / "docs/limits.md").read_text(encoding="utf-8")):
        count += 1
        path = root / file
        code = path.read_text(encoding="utf-8") if path.exists() else ""
        definition = rf"\b{name}\b\s*[={{(]\s*{re.escape(value)}" if not value.startswith("limit = ") else re.escape(value)
        if name not in code:
            faults.append(f"docs/limits.md: there is no {name} in {file}")
        elif not re.search(definition + r"\s*[;,})]", code):
            faults.append(f"docs/limits.md: {name} in {file} is not {value}")
    if count < 30:
        faults.append(f"docs/limits.md: only {count} rows with a limit were found")
    return faults, count


def main():
    faults, count = check(pathlib.Path(sys.argv[1]))
    for fault in faults:
        print(fault)
    print(f"{count} limits, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
