"""Reads Autobahn's index.json, prints a line per group and every case that failed, and fails unless all passed strictly.

usage: judge.py index.json GROUP...

Runs on Python 2.7 and 3. A case passes with OK or INFORMATIONAL, its close behaviour included; NON-STRICT fails.
A group without cases fails: a suite that ran nothing proves nothing.
"""
from __future__ import print_function

import json
import sys

PASSING = ("OK", "INFORMATIONAL")


def main(path, groups):
    with open(path) as index:
        agents = json.load(index)
    failed = False
    for agent, cases in sorted(agents.items()):
        for group in groups:
            mine = {case: result for case, result in cases.items() if case.split(".")[0] == group}
            bad = {c: r for c, r in mine.items() if r["behavior"] not in PASSING or r["behaviorClose"] not in PASSING}
            print("group %-3s %3d cases, %d failed" % (group, len(mine), len(bad)))
            for case, result in sorted(bad.items()):
                print("  %s: %s, close: %s (%s)" % (case, result["behavior"], result["behaviorClose"], result["reportfile"]))
            failed = failed or not mine or bool(bad)
    return 1 if failed or not agents else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
