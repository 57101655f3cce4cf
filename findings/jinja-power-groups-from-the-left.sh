#!/usr/bin/env bash
# Jinja2 3.1.6: `2 ** 3 ** 2` is 64, where Python says 512.
#
# Powers group from the left in a template and from the right in Python. A template's author who tests an expression in Python gets
# another number out of the template, without a word.
# Seen: "template: 64, Python: 512". 2026-11-29, Python 3.11, on Linux. Source: our own constructs, compared with Python's eval.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check jinja2==3.1.6 markupsafe==3.0.3 2> "$work/pip.log" || { cat "$work/pip.log"; exit 1; }
"$work/venv/bin/python" - <<'PY'
from jinja2 import Environment

template = Environment().from_string("{{ 2 ** 3 ** 2 }}").render()
print(f"template: {template}, Python: {2 ** 3 ** 2}")
assert template == "64"
PY
