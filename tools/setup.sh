#!/usr/bin/env bash
# Make or refresh the virtual environment. Says which step failed and what to do.
set -u
venv=$1
python=${PYTHON:-python3}

run() {  # run STEP HINT COMMAND...
    local step=$1 hint=$2 log
    shift 2
    echo "set-up: $step"
    log=$(mktemp)
    if ! "$@" > "$log" 2>&1; then
        tail -n 25 "$log"
        rm -f "$log"
        echo
        echo "Set-up failed at: $step"
        echo "What to do: $hint"
        exit 1
    fi
    rm -f "$log"
}

run "looking for Python 3.11 or newer" \
    "install Python 3.11, or name it: make PYTHON=/path/to/python3.11 ..." \
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'
if [ ! -x "$venv/bin/python" ]; then
    run "making $venv" \
        "install the venv module (Debian, Ubuntu: sudo apt-get install python3-venv)" \
        "$python" -m venv "$venv"
fi
run "pip itself" \
    "check the connection to your package index (pip config list), then run the command again" \
    "$venv/bin/python" -m pip install --quiet --constraint constraints.txt pip
index=()
[ -n "${TORCH_INDEX:-}" ] && index=(--extra-index-url "$TORCH_INDEX")
run "lstmkit and everything that builds, tests and grades the course (minutes, the first time)" \
    "read the lines above; with little disk or a slow line take PyTorch's CPU build: make TORCH_INDEX=https://download.pytorch.org/whl/cpu ..." \
    "$venv/bin/python" -m pip install --quiet --constraint constraints.txt --build-constraint constraints.txt \
    "${index[@]}" --editable ".[notebooks,book,grading,dev]"
rm -f "$venv"/.ready-*
