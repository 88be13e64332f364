# SPDX-License-Identifier: BSD-3-Clause
"""groups - which groups of perf/bench a run takes, with what memory, and how one is run."""
import dataclasses
import json
import os
import re
import subprocess
import time

import host

QUICK, NORMAL, FULL = "quick", "normal", "full"
M = 1000000
CURVES = ("sizes", "simd", "offload", "stages")  # what is varied; not in the quick form


@dataclasses.dataclass
class Group:
    """A call of perf/bench, and the memory it takes: EAL's, and other."""
    name: str
    args: list
    eal_mb: int
    other_mb: int = 0
    keep: tuple = ()  # only these rows; none named: all

    def __str__(self):
        return " ".join([self.name, *map(str, self.args)])


def buffers_mb(n):
    return n * 2500 // M


def live_mb(n):
    return 345 * n // M + buffers_mb(65536 + n // 4) + 150


def connection_mb(n):
    return 385 * n // M + buffers_mb(65536) + 200


def floor_mb(n):
    """The lines of floor rows, which are no EAL memory."""
    return 215 * n // M


SMALL = buffers_mb(65536) + 150


def named(mode):
    """The rows that have targets, and their rivals. What needs most memory comes last."""
    w = {QUICK: 40, NORMAL: 200, FULL: 500}[mode]
    windows = ["--windows", w]
    runs = [
        Group("syn", windows, SMALL),
        Group("syn_auto", windows, SMALL),
        Group("live", windows, live_mb(M), 50 + floor_mb(M)),
        Group("connection", windows + ["--size", 4096], SMALL, 50),
        Group("connection", windows, connection_mb(M), 50 + floor_mb(M)),
        Group("server_close", windows, SMALL + 200, 100),
        Group("connection_auto", windows + ["--size", 4096], SMALL, 50),
        Group("bulk", windows, SMALL, 50),
        Group("avoid", windows, SMALL, 50),
        Group("bytes", [], connection_mb(1 << 20), 50),
        Group("table", windows, 64, 400),
        Group("timer", ["--windows", max(24, w // 2)], 64, 300),
        Group("cores", windows, SMALL, 50),
    ]
    if mode == QUICK:
        return runs + [Group("held", [], connection_mb(M), 50)]
    most = 16 * M if mode == NORMAL else 32 * M
    if mode == FULL and host.available_mb() > connection_mb(48 * M) + 2000:
        most = 48 * M
    return runs + [
        Group("table", windows + ["--size", 32 * M], 3800, 7200),
        Group("connection", windows + ["--size", 16 * M], connection_mb(16 * M),
              600 + floor_mb(16 * M)),
        Group("held", ["--size", most], connection_mb(most), 600),
    ]


def parts(mode):
    """What a run can be told to measure alone, by name."""
    names = ["testpmd", *dict.fromkeys(group.name for group in named(mode)), "twins", "burst"]
    return names + (list(CURVES) if mode != QUICK else [])


def beside_the_loop(rows):
    """Relate rows of one process to the macswap loop that took turns with them there, if it did."""
    least = {row["name"]: row["min"] for row in rows}
    for row in rows:
        size = re.search(r"_burst_\d+$", row["name"])
        loop = least.get("macswap_loop" + (size[0] if size else ""))
        if loop and row["unit"] == "cycles":
            row["loop_ratio"] = round(row["min"] / loop, 2)


def run(pages, group, bench=None):
    """Its rows, and what went wrong or None."""
    wants = group.eal_mb + group.other_mb
    if host.available_mb() < wants + 500:
        return [], f"absent: wants {wants} MB"
    huge = pages.have(group.eal_mb)
    command = [bench or os.path.join(host.BUILD, "perf", "bench"), group.name, "--memory",
               str(group.eal_mb), *map(str, group.args)] + (["--huge"] if huge else [])
    done = subprocess.run(command, capture_output=True, text=True, timeout=900,
                          preexec_fn=host.first_in_line)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    beside_the_loop(rows)
    rows = [row for row in rows if not group.keep or row["name"] in group.keep]
    for row in rows:
        row["pages"] = "2M" if huge else "4k"
    if done.returncode != 0:
        return rows, "FAILED: " + (done.stderr.strip().splitlines() or ["no word"])[-1]
    return rows, None


def testpmd(pages):
    """dpdk-testpmd itself, on a ring that hands it its own packets back: always in L1."""
    huge = pages.have(200)
    lcores = "0,1" if (os.cpu_count() or 1) > 1 else "0,1@0"
    eal = ["--lcores", lcores, "--no-pci", "--no-telemetry", "--vdev", "net_ring0", "-m", "200"]
    eal += ["--in-memory"] if huge else ["--no-huge", "--no-shconf"]
    try:
        p = subprocess.Popen(["dpdk-testpmd", *eal, "--", "-i", "--total-num-mbufs=4096"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True,
                             preexec_fn=host.first_in_line)
    except OSError:
        return [], "absent: dpdk-testpmd is not installed; config/setup --perf"

    def say(text, pause):
        p.stdin.write(text + "\n")
        p.stdin.flush()
        time.sleep(pause)

    try:
        time.sleep(1)
        say("set record-core-cycles on\nset burst 64\nset fwd macswap\nstart tx_first 4", 0.1)
        for _ in range(24):
            say("clear fwd stats all", 0.01)
            say("show fwd stats all", 0.005)
        say("stop\nquit", 0)
        text = p.communicate(timeout=60)[0]
    except (OSError, subprocess.TimeoutExpired) as why:
        p.kill()
        p.wait()
        return [], f"FAILED: {why}"
    cycles = sorted(float(x) for x in re.findall(r"CPU cycles/packet=(\d+\.\d+)", text))
    if not cycles:
        return [], "FAILED: dpdk-testpmd said no cycles: " + text.strip()[-100:]
    return [{"name": "testpmd_macswap", "unit": "cycles", "min": cycles[0],
             "median": cycles[len(cycles) // 2], "windows": len(cycles),
             "pages": "2M" if huge else "4k"}], None


def more_sizes(mode):
    """The curves against the number of connections: what lies between the named rows."""
    windows = ["--windows", 60 if mode == NORMAL else 200]
    sizes = [64000, 256000, 4 * M] + ([8 * M, 32 * M] if mode == FULL else [])
    runs = [Group("connection", windows + ["--size", n], connection_mb(n),
                  60 + 27 * n // M + floor_mb(n)) for n in sizes]
    sizes = [4096, 64000, 256000, 4 * M] + ([8 * M, 16 * M] if mode == FULL else [])
    runs += [Group("live", windows + ["--size", n], live_mb(n), 50 + 16 * n // M + floor_mb(n))
             for n in sizes]
    sizes = [64000, 256000, 4 * M] + ([16 * M] if mode == FULL else [])
    return runs + [Group("table", windows + ["--size", n], 64 + 120 * n // M, 50 + 230 * n // M)
                   for n in sizes]


def burst(mode):
    windows = {QUICK: 20, NORMAL: 40, FULL: 100}[mode]
    return Group("burst", ["--windows", windows], SMALL)


@dataclasses.dataclass
class Variant:
    """What a group is run as: arguments, and what its rows are called then."""
    suffix: str
    args: list


SIMD = [Variant(f"_simd_{bits}", ["--simd", bits]) for bits in (64, 256, 512)]
OFFLOAD = [Variant("_offload_off", []), Variant("_offload_on", ["--offload"])]


def varied():
    """(name, groups, variants): each group as each variant, in turns."""
    windows = ["--windows", 24]
    syn = Group("syn", windows, SMALL, 0,
                ("syn_cookie_v4", "syn_cookie_v6", "syn_cookie_mix", "bogus_ack_checked"))
    lives = Group("connection", windows + ["--size", 4096], SMALL, 50, ("connection_4k",))
    bulk = Group("bulk", windows, SMALL, 50, ("bulk_rx", "bulk_tx"))
    return [("simd", [syn, lives, bulk], SIMD), ("offload", [syn, lives, bulk], OFFLOAD)]


def take_turns(pages, group, variants, turns, bench=None):
    """A group as each variant, @turns times around, so that all meet the same noise."""
    rows, wrong = {}, None
    for _ in range(turns):
        for variant in variants:
            got, why = run(pages, dataclasses.replace(group, args=group.args + variant.args),
                           bench)
            wrong = wrong or why
            for row in got:
                row["name"] += variant.suffix
                rows.setdefault(row["name"], []).append(row)
    return [together(same) for same in rows.values()], wrong


def together(same):
    """One row of several runs': that of the least minimum, with the median of their medians."""
    medians = sorted(row["median"] for row in same)
    return {**min(same, key=lambda row: row["min"]), "median": medians[len(medians) // 2],
            "windows": sum(row["windows"] for row in same)}


def stages():
    """The work whose cycles are split."""
    windows = ["--windows", 24]
    return [Group("syn", windows, SMALL),
            Group("live", windows, live_mb(M), 50 + floor_mb(M)),
            Group("connection", windows, connection_mb(M), 50 + floor_mb(M)),
            Group("bulk", windows, SMALL, 50)]


def run_stages(pages, group):
    """The parts of bench-stages' rows; those rows themselves carry the cost of its marks."""
    rows, why = run(pages, group, os.path.join(host.BUILD, "perf", "bench-stages"))
    return [row for row in rows if "_stage_" in row["name"]], why
