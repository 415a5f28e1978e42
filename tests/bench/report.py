#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
What `wsmauthz report` takes for a large directory: a throw-away slapd with N users (generate.py), of whom half are members of the
allowed group; the report as CSV and as a page; time and memory. Then the CSV compared with itself.

    /usr/bin/python3 tests/bench/report.py --program build/release/src/cli/wsmauthz --users 1000000
"""
import argparse
import csv
import os
import sys
import time
from pathlib import Path

import generate
from bench_slapd import BenchSlapd

import testbed
from testbed import Folder


def run(command):
    """(status, seconds, the most memory in MB) of a command whose output goes to ours."""
    begin = time.monotonic()
    process = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    return os.waitstatus_to_exitcode(status), time.monotonic() - begin, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--users", type=int, default=100000)
    parser.add_argument("--depth", type=int, default=5)
    arguments = parser.parse_args()
    failed = False
    with Folder(prefix="wsmauthz-bench-report-") as folder:
        expected = generate.generate(generate.read_arguments(
            ["--users", str(arguments.users), "--depth", str(arguments.depth), "--out", folder.path]))
        with BenchSlapd(folder.join("data.ldif"), arguments.users) as slapd:
            print("loaded %d users in %.1f s" % (arguments.users, slapd.load_s), flush=True)
            policy = testbed.write_policy(folder.join("policy.xml"), slapd, allow=[testbed.group_dn(generate.ROOT, slapd.suffix)])
            for what, options in (("those who are let in", []), ("everybody", ["--all"])):
                path, page = folder.join("report.csv"), folder.join("report.html")
                status, seconds, megabytes = run([arguments.program, "report", "--config", policy, "--csv", path, "--html", page,
                                                  "--log-level", "error", *options])
                print("%s: status %d, %.1f s, %.0f users a second, %.0f MB at most; CSV %.1f MB, page %.1f MB" % (
                    what, status, seconds, arguments.users / seconds, megabytes, Path(path).stat().st_size / 1e6,
                    Path(page).stat().st_size / 1e6), flush=True)
                with open(path, newline="", encoding="utf-8") as file:
                    verdicts = [row["verdict"] for row in csv.DictReader(file)]
                share = verdicts.count("authorize") / arguments.users
                failed |= status not in (0, 1) or abs(share - expected["share"]) > 1e-9 or megabytes > 512
            status, seconds, megabytes = run([arguments.program, "report", "--diff", path, path])
            print("compared: status %d, %.1f s, %.0f MB at most" % (status, seconds, megabytes))
            failed |= status != 0 or megabytes > 512
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
