# SPDX-License-Identifier: BSD-3-Clause
"""rows - what is wanted of each row, and how a run is printed and kept."""
import json
import os
import sys
import time

import charts
import host

# Row: target and stretch, of the minimum.
TARGETS = {
    "syn_cookie_v4": (45, 40), "syn_cookie_1m": (55, 48), "syn_cookie_mix": (65, 50),
    "syn_cookie_v6": (75, 55), "bogus_ack_budget": (35, 20), "bogus_ack_checked": (55, 35),
    "stray": (30, 20), "table_hit_1m": (20, 12), "table_miss_1m": (8, 5),
    "table_hit_32m": (95, 60), "table_miss_32m": (40, 30), "request_1m": (220, 150),
    "connection_4k": (700, 450), "connection_1m": (900, 620), "connection_16m": (1300, 900),
    "connection_server_close_1m": (1000, 700), "timer_mixed_1m": (30, 15),
    "bulk_rx": (240, 180), "bulk_tx": (240, 180), "bytes_idle_v4": (192, 144),
    "bytes_idle_v6": (256, 192), "bytes_time_wait_v4": (48, None),
    "bytes_time_wait_v6": (80, None), "connections_held": (16e6, 48e6),
    "cores_2_ratio": (1.85, None), "cores_2_steered_ratio": (1.4, None),
}
MORE_IS_BETTER = ("ratio", "count")
# Those that say how a run was made, not how well: how many were live, how busy the client was.
NEITHER = ("_live", "_time_wait", "_entries", "_client_busy", "_sent")
NOISY = 1.25


def goodness(row, value):
    """How good @value is for @row: to be compared with another's; None where it says nothing."""
    if row["unit"] in MORE_IS_BETTER and row["name"].endswith(NEITHER):
        return None
    if row["name"].startswith("budget_used"):
        return -abs(value - 1)
    return value if row["unit"] in MORE_IS_BETTER else -value


def is_noisy(row):
    return row["median"] > NOISY * row["min"]


def merge(rows):
    """One of each name: of those measured more than once, macswap_loop say, the least.

    What relates a row to the loop was told from its own process (groups.beside_the_loop),
    and stays with it.
    """
    by_name = {}
    for row in rows:
        old = by_name.get(row["name"])
        if old is None or row["min"] < old["min"]:
            by_name[row["name"]] = row
    return list(by_name.values())


def finish(rows):
    """Add what a row is held against: its target, its cost in packets of testpmd and the loop."""
    by_name = {row["name"]: row for row in rows}
    rival = by_name.get("testpmd_macswap")
    for row in rows:
        cycles = row["unit"] == "cycles"
        row["target"] = TARGETS.get(row["name"], (None, None))[0]
        row["testpmd_ratio"] = round(row["min"] / rival["min"], 2) if cycles and rival else None
        row.setdefault("loop_ratio", None)


def verdict(row):
    target, stretch = TARGETS.get(row["name"], (None, None))
    if target is None:
        return ""

    def met(goal):
        return goal is not None and goodness(row, row["min"]) >= goodness(row, goal)
    if met(stretch):
        return "stretch"
    if met(target):
        return "met"
    # as many as were asked for are held, or the run fails
    return "not attempted" if row["name"] == "connections_held" else "missed"


def number(x):
    if x is None:
        return "-"
    if x >= 100000:
        return f"{x / 1e6:g} M"
    return f"{x:.1f}" if x != int(x) else f"{int(x)}"


def table(rows):
    """Rows with a target first, in its order, then the others; those of a curve stay together."""
    head = ("row", "unit", "target", "min", "median", "testpmd", "loop", "verdict")
    form = "{:<36} {:<7} {:>8} {:>9} {:>9} {:>8} {:>7}  {}"
    order = list(TARGETS)

    def place(row):
        if row["name"] in order:
            return 0, order.index(row["name"])
        return (2, *curve) if (curve := charts.of_a_curve(row["name"])) else (1,)

    print(form.format(*head))
    for r in sorted((r for r in rows if not charts.STAGE.match(r["name"])), key=place):
        print(form.format(r["name"], r["unit"], number(r["target"]), number(r["min"]),
                          number(r["median"]), number(r["testpmd_ratio"]),
                          number(r["loop_ratio"]),
                          verdict(r) + (" noisy" if is_noisy(r) else "")))


def split(rows):
    """Where cycles go, a line for each kind of work, a column for each stage."""
    bars = charts.stages(rows)
    if bars:
        print("\n" + "{:<22}".format("stages, medians") + "".join(f"{s:>8}" for s in charts.STAGES))
    for name, parts in bars.items():
        print(f"{name:<22}" + "".join(f"{parts.get(s, 0):>8.1f}" for s in charts.STAGES))


def load(path):
    """A result that was saved; what is none ends the program with a line that says so."""
    try:
        with open(path) as f:
            result = json.load(f)
    except (OSError, ValueError) as why:
        sys.exit(f"{path}: {getattr(why, 'strerror', None) or 'is no JSON'}")
    if not isinstance(result, dict) or not {"rows", "machine", "commit"} <= result.keys():
        sys.exit(f"{path}: is no result of perf/run or perf/linux")
    return result


def shown(path):
    """How a path is told: from here if it is below, else as it is."""
    near = os.path.relpath(path)
    return path if near.startswith("..") else near


def save(result, path=""):
    """Write it where it is wanted, or where results are kept; returns where."""
    path = path or os.path.join(host.RESULTS, time.strftime("%Y%m%d-%H%M%S") + ".json")
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    return shown(path)
