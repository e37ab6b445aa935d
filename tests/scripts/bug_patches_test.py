"""The deliberate bugs of tests/bugs still fit the sources: a patch that does not apply shows nothing."""
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ["dropped-retry", "effect-before-commit", "key-changes", "lost-interval", "no-fencing"]

if shutil.which("git") is None:
    print("skipped: git is not here")
    sys.exit(0)
found = sorted(p.stem for p in (ROOT / "tests" / "bugs").glob("*.patch"))
assert found == NAMES, f"tests/bugs holds {found}"
for name in found:
    patch = ROOT / "tests" / "bugs" / f"{name}.patch"
    run = subprocess.run(["git", "apply", "--check", str(patch)], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, f"{patch.name} does not fit any more: {run.stderr}"
print(f"{len(found)} checks passed")
