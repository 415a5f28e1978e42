#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""See run.sh, which builds the program and calls this: `wsmauthz bench` before a throw-away slapd, one row a depth."""
import argparse
import json
import subprocess
import sys
from pathlib import Path

import generate
from bench_slapd import BenchSlapd

import testbed
from testbed import Folder

DEFAULT_DEPTHS = "1,5,20,64"
# `bench` warms up for as long as it needs, within its own limits; each line of its table takes its duration.
BENCH_TIMEOUT_S = 3600


def read_arguments():
    parser = argparse.ArgumentParser(prog="run.sh", description="Measures wsmauthz before a slapd of its own.",
                                     epilog="What is behind `--` goes to generate.py: --group-size N, --big-group N, ...")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--users", type=int, default=100000, help="users of the directory (default 100000)")
    parser.add_argument("--depths", default=DEFAULT_DEPTHS, help="depths of nesting (default %s)" % DEFAULT_DEPTHS)
    parser.add_argument("--duration", default="2s", help="of each line that is measured (default 2s)")
    parser.add_argument("--outstanding", default="64", help="cold decisions under way (default 64)")
    parser.add_argument("--connections", default=None, help="connections to the directory (default: the policy's, 2)")
    parser.add_argument("--phases", default="cold,warm,floor", help="of `wsmauthz bench`")
    parser.add_argument("--json", metavar="FILE", help="also write everything that was measured there, one object a depth")
    parser.add_argument("--verbose", action="store_true", help="also print the whole table of each depth")
    parser.add_argument("generate", nargs="*", help=argparse.SUPPRESS)
    return parser.parse_args()


def policy_for(folder, slapd, arguments):
    groups = {"connections": arguments.connections} if arguments.connections else None
    cache = {"max-entries": max(100000, arguments.users + arguments.users // 20), "max-bytes": "1GB"}
    return testbed.write_policy(folder.join("policy.xml"), slapd,
                                allow=[testbed.group_dn(generate.ROOT, slapd.suffix)], groups=groups, cache=cache)


def bench(arguments, policy, senders, *more):
    """The object that `wsmauthz bench --json` prints. Its progress bar goes to our standard error."""
    command = [arguments.program, "bench", "--config", policy, "--senders", senders, "--json", "--log-level", "error",
               "--phases", arguments.phases, "--duration", arguments.duration, "--outstanding", arguments.outstanding]
    done = subprocess.run(command + list(more), stdout=subprocess.PIPE, text=True, check=False, timeout=BENCH_TIMEOUT_S)
    if not done.stdout:
        raise SystemExit("run.sh: wsmauthz bench ended with %d" % done.returncode)
    return json.loads(done.stdout), done.returncode


def check_share(expected, measured):
    """What was decided must be right, or it was fast for nothing. Returns a complaint, or None."""
    line = measured["lines"]["cold"]
    if measured["first_error"]:
        return "errors: " + measured["first_error"]
    if line is None or line["calls"] < 2000:
        return None
    share = line["authorized"] / line["calls"]
    # The senders come in no order, so what is asked for is a sample: eight standard deviations of it, and a little.
    margin = 8 * (0.25 / min(line["calls"], expected["users"])) ** 0.5 + 0.001
    if line["calls"] < expected["users"] * 0.99 and abs(share - expected["share"]) > margin:
        return "%.4f of the senders were authorized, %.4f are members" % (share, expected["share"])
    return None


def measure(arguments, depth):
    with Folder(prefix="wsmauthz-bench-data-") as folder:
        options = generate.read_arguments(["--users", str(arguments.users), "--depth", str(depth), "--out", folder.path]
                                          + arguments.generate)
        expected = generate.generate(options)
        with BenchSlapd(folder.join("data.ldif"), arguments.users) as slapd:
            print("depth %d: loaded %d users in %.1f s" % (depth, arguments.users, slapd.load_s), file=sys.stderr)
            measured, status = bench(arguments, policy_for(folder, slapd, arguments), folder.join("senders.txt"))
            measured["slapd_resident_bytes"] = slapd.resident_bytes()
    measured.update(depth=depth, expected=expected, exit_status=status)
    return measured


# The table

def rate(measured, line):
    found = measured["lines"][line]
    if not found:
        return "-"
    value = found["per_second"]
    return "%.2f M" % (value / 1e6) if value >= 1e6 else "%.0f" % value


def spread(measured, line):
    found = measured["lines"][line]
    return "%.0f-%.0f" % (found["per_second_min"], found["per_second_max"]) if found else "-"


def microseconds(measured, line, point):
    found = measured["lines"][line]
    return "%.0f" % (found[point] / 1000) if found and found[point] else "-"


def number(value, form="%.2f", scale=1.0):
    return "-" if value is None else form % (value * scale)


ROWS = (
    ("floor: pipelined searches/s", lambda m: rate(m, "floor")),
    ("    least-most", lambda m: spread(m, "floor")),
    ("cold decisions/s", lambda m: rate(m, "cold")),
    ("    least-most", lambda m: spread(m, "cold")),
    ("    ratio to the floor", lambda m: number(m["ratios"]["cold_to_floor"])),
    ("    p50 us", lambda m: microseconds(m, "cold", "p50_ns")),
    ("    p99 us", lambda m: microseconds(m, "cold", "p99_ns")),
    ("    searches a decision", lambda m: number(m["searches_per_decision"], "%.3f")),
    ("    bytes a decision", lambda m: number(m["bytes_per_decision"], "%.0f")),
    ("    round trips waited for", lambda m: number(m["round_trips_per_decision"], "%.3f")),
    ("floor: one search, p50 us", lambda m: microseconds(m, "floor_one", "p50_ns")),
    ("cold, one at a time, p50 us", lambda m: microseconds(m, "cold_one", "p50_ns")),
    ("    p99 us", lambda m: microseconds(m, "cold_one", "p99_ns")),
    ("    ratio to the floor (p50)", lambda m: number(m["ratios"]["cold_one_p50_to_floor"])),
    ("floor: hash probes/s", lambda m: rate(m, "probe")),
    ("warm, engine/s, working set", lambda m: rate(m, "api")),
    ("    ratio to the floor", lambda m: number(m["ratios"]["api_to_probe"])),
    ("    all threads", lambda m: rate(m, "api_threads")),
    ("    gain of all threads", lambda m: number(m["ratios"]["api_threads_to_one"])),
    ("floor: hash probes/s, all", lambda m: rate(m, "probe_all")),
    ("warm, engine/s, all users", lambda m: rate(m, "api_all")),
    ("floor: UTF-16 copies/s", lambda m: rate(m, "copy")),
    ("warm, plug-in/s, working set", lambda m: rate(m, "entry_points")),
    ("    all threads", lambda m: rate(m, "entry_points_threads")),
    ("    gain of all threads", lambda m: number(m["ratios"]["entry_points_threads_to_one"])),
    ("bytes of memory a user", lambda m: number(m["bytes_per_user"], "%.0f")),
    ("resident MB, warm", lambda m: number(m["resident_bytes"], "%.1f", 1 / (1 << 20))),
    ("first answer ms", lambda m: number(m["first_answer_us"], "%.1f", 1e-3)),
    ("load of the groups ms", lambda m: number(m["closure_load_us"], "%.1f", 1e-3)),
    ("groups / memberships", lambda m: "%d / %d" % (m["expected"]["closure_groups"], m["expected"]["memberships"])),
)


def print_table(rows):
    print("%-30s" % "depth" + "".join("%16d" % each["depth"] for each in rows))
    for name, value in ROWS:
        cells = [value(each) for each in rows]
        if any(cell != "-" for cell in cells):
            print("%-30s" % name + "".join("%16s" % cell for cell in cells))
    first, last = rows[0], rows[-1]
    if first is not last and first["lines"]["cold"] and last["lines"]["cold"]:
        ratio = first["lines"]["cold"]["per_second"] / last["lines"]["cold"]["per_second"]
        print("\na cold decision at depth %d costs %.2f x one at depth %d" % (last["depth"], ratio, first["depth"]))


def main():
    arguments = read_arguments()
    rows, complaints = [], []
    for depth in [int(word) for word in arguments.depths.split(",")]:
        measured = measure(arguments, depth)
        rows.append(measured)
        complaint = check_share(measured["expected"], measured)
        if complaint:
            complaints.append("depth %d: %s" % (depth, complaint))
        if arguments.verbose:
            print(json.dumps(measured), file=sys.stderr)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            file.write("".join(json.dumps(each) + "\n" for each in rows))
    print("%d users, %s outstanding, %s a line, %d threads" % (arguments.users, arguments.outstanding,
                                                              arguments.duration, rows[0]["threads"]))
    print_table(rows)
    for complaint in complaints:
        print("WRONG: " + complaint)
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    main()
