# Makes .venv ready for the scripts beside this file. Sourced, never run:
#
#   root=$(cd "$(dirname "$0")/.." && pwd)
#   . "$root/scripts/environment.sh"
#
# It expects $root and leaves $venv. Once set up it needs no network and costs a moment.
# Everything is said on standard error: standard output belongs to the script that sources this.

venv="$root/.venv"
lock_file="$root/scripts/requirements.txt"

say() {
    printf '%s\n' "$*" >&2
}

# 3.11 comes first because the lock is resolved for it. A Python without `ensurepip` cannot make
# an environment (Debian packs it apart), so it does not count as one.
find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3.11 python3 python3.12 python3.13 python3.14; do
        if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
            2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    say "No Python 3.11 or newer with 'venv' and 'ensurepip' was found. Install python3.11 (on Debian" \
        "and Ubuntu: python3.11 and python3.11-venv), or name one: PYTHON=/path/to/python3.11 $0"
    return 1
}

pip_install() {
    # Twice quiet: only errors. What pip would remark about the machine's own settings helps nobody here.
    "$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --no-input "$@"
}

# An environment remembers where it was made: after a move or a copy its programs would start the
# ones of the old place. One that was cut short while being made has no pip.
make_environment() {
    if [ "$(cat "$venv/made-in" 2>/dev/null || printf '%s' "$root")" = "$root" ] &&
        "$venv/bin/python" -c 'import pip' 2>/dev/null; then
        return
    fi
    python=$(find_python) || return
    say "Making .venv with $("$python" --version)"
    "$python" -m venv --clear "$venv" && printf '%s' "$root" >"$venv/made-in"
}

# A copy of what was installed is the stamp: it is written last, so an interrupted run starts again.
install_lock() {
    cmp -s "$lock_file" "$venv/installed-requirements.txt" && return
    say "Installing what scripts/requirements.txt names (the first time takes about a minute)"
    pip_install --require-hashes --requirement "$lock_file" &&
        cp "$lock_file" "$venv/installed-requirements.txt"
}

# Editable: changed code is live at once, changed metadata (console script, version) is not.
install_project() {
    cmp -s "$root/pyproject.toml" "$venv/installed-pyproject.toml" && return
    pip_install --no-build-isolation --no-deps --editable "$root" &&
        cp "$root/pyproject.toml" "$venv/installed-pyproject.toml"
}

# Two scripts started at once must not install over each other. The lock is taken on a file that
# is there anyway, and given back here: what is started afterwards may run for ever.
(
    if command -v flock >/dev/null 2>&1; then
        flock 9
    fi
    # Chained, because `set -e` does not hold where the outcome is asked for.
    make_environment && install_lock && install_project
) 9<"$lock_file" || {
    say "The environment could not be set up; the lines above say why. Run $0 again when that is mended."
    exit 1
}
