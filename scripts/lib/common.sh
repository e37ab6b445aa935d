# Sourced by every script here: where the repository is, and one way to speak and to stop.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${HANSARD_CACHE:-$ROOT/.cache}

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() { # die MESSAGE [CODE]: one line on standard error, exit 1 (2 is wrong use)
  warn "${0##*/}: $1"
  exit "${2:-1}"
}

# Debian's own python3 where it is there: the locked wheels are for its version.
python() { if [ -x /usr/bin/python3 ]; then /usr/bin/python3 "$@"; else python3 "$@"; fi; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

jobs_default() { echo "${HANSARD_JOBS:-$(nproc 2>/dev/null || echo 2)}"; }
