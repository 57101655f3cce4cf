#!/usr/bin/env bash
# Jinja2 3.1.6 with the extension loopcontrols: a loop whose rounds all end in `continue` runs its `else` too.
#
# The documents say that `else` is for a loop over nothing. With `continue` it also runs where there were rounds and none of them got to
# its end, so a chat template that skips all turns by `continue` prints what was meant for an empty conversation.
# Seen: "else after 2 rounds". 2026-11-29, Python 3.11, on Linux. Source: our own constructs for chat templates, which transformers
# renders with this extension.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check jinja2==3.1.6 markupsafe==3.0.3 2> "$work/pip.log" || { cat "$work/pip.log"; exit 1; }
"$work/venv/bin/python" - <<'PY'
from jinja2 import Environment

rounds = Environment(extensions=["jinja2.ext.loopcontrols"]).from_string(
    "{% for x in turns %}{% if x %}{% continue %}{% endif %}{{ x }}{% else %}else{% endfor %}"
)
found = rounds.render(turns=[1, 2])
print(f"{found} after 2 rounds")
assert found == "else"
PY
