# Sourced by the other scripts: makes .venv with what they need. Arguments: extras of the package.
# The stamp holds a hash of pyproject.toml, the Python and the extras, so a second run installs nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

find_python() {
    local candidate
    for candidate in "${WAYMARK_PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer is needed and was not found; install it, or set WAYMARK_PYTHON to it" >&2
    exit 2
}

ensure_environment() {
    local extras="$1" stamp wanted
    stamp=".venv/.installed-${extras//,/-}"
    if [ ! -x .venv/bin/python ]; then
        "$(find_python)" -m venv .venv || { rm -rf .venv; exit 2; }
    fi
    wanted="$(sha256sum pyproject.toml | cut -d' ' -f1) $(.venv/bin/python --version)"
    if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
        echo "installing waymark[$extras] into .venv ..."
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[$extras]"
        echo "$wanted" > "$stamp"
    fi
}
