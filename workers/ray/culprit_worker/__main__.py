"""Entry of the jobs that the control plane submits: `python -m culprit_worker session` and `... check`.

Exit status 43: the storage cannot be seen; 44: any other fault that a user can mend.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

UNSEEN, FAULT = 43, 44


def main(words: list[str]) -> int:
    if sys.version_info < (3, 10):
        print(f"culprit: expected Python 3.10 or newer on the cluster, got {sys.version.split()[0]}", flush=True)
        return FAULT
    try:
        if words == ["check"]:
            from .check import check

            check(os.environ.get("CULPRIT_STORAGE_PROBE"))
            return 0
        folder = Path(os.environ["CULPRIT_SESSION"])
        if not (folder / "session.json").exists():
            print(f"culprit: {folder} cannot be seen on node {os.uname().nodename}", flush=True)
            return UNSEEN
        from .drive import drive
        from .faults import Fault

        try:
            drive(folder)
        except Fault as fault:
            print(f"culprit: {fault.message}", flush=True)
            return FAULT
    except ImportError as error:
        print(f"culprit: the cluster's Python lacks a package: {error}", flush=True)
        return FAULT
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
