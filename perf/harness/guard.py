# SPDX-License-Identifier: BSD-3-Clause
"""guard - ratios to a rival or a plain twin, and when one of them is no longer noise.

A pair is measured interleaved, by one process or in turns, so that what the machine does
besides meets both. No time is absolute: the bound is on the ratio. A ratio above its bound
is measured again, TRIES times in all, and the least counts: noise comes and goes, what a
change of the code did stays.

The bounds are in perf/guard.json with what they were derived from, and `perf/guard --derive`
writes them anew: the worst ratio of several runs of this commit, half of them beside a load
that keeps every CPU busy, times MARGIN. So a row fails that costs half as much again as it ever
did there, beside the same twin. On a machine with ten times as much to do as it had CPUs for, a
ratio's worst was within 20 % of its best; the rest of the margin is for CPUs and hypervisors
that treat the loop and the engine differently. On a CPU of another kind derive them anew.
"""
import json
import os

import groups
import host

PATH = os.path.join(host.ROOT, "perf", "guard.json")
TRIES = 3
MARGIN = 1.5

# (row, its twin), by the group that measures both.
PAIRS = {
    "syn": [("syn_cookie_v4", "macswap_loop"), ("syn_cookie_v6", "macswap_loop"),
            ("syn_cookie_mix", "macswap_loop"), ("bogus_ack_checked", "macswap_loop"),
            ("stray", "macswap_loop")],
    "syn_auto": [("bogus_ack_budget", "macswap_loop")],
    "live": [("request_1m", "macswap_loop"), ("syn_cookie_1m", "macswap_loop")],
    "connection": [("connection_4k", "macswap_loop"), ("connection_1m", "macswap_loop")],
    "server_close": [("connection_server_close_1m", "macswap_loop")],
    "bulk": [("bulk_rx", "macswap_loop")],
    "table": [("table_hit_1m", "rte_hash_hit_1m"), ("table_miss_1m", "rte_hash_miss_1m")],
    "timer": [("timer_mixed_1m", "rte_timer_mixed_1m")],
    "twins": [("syn_cookie_v4_simd_512", "syn_cookie_v4_simd_64"),
              ("syn_cookie_v6_simd_512", "syn_cookie_v6_simd_64")],
}


def has_twins():
    """Whether this CPU has the vectors that the bounds of leaves against scalar are about."""
    return "avx512bw" in host.words("/proc/cpuinfo")


def twins(pages):
    """The SIMD leaves against their scalar twins, which are the same program told to have none."""
    syn = groups.Group("syn", ["--windows", 24], groups.SMALL, 0,
                       ("syn_cookie_v4", "syn_cookie_v6"))
    return groups.take_turns(pages, syn, [groups.SIMD[0], groups.SIMD[-1]], 3)


def ratios(group, rows):
    """Of the pairs that these rows, of one run of @group, have both of: name -> ratio."""
    least = {row["name"]: row["min"] for row in rows}
    return {f"{a}/{b}": least[a] / least[b] for a, b in PAIRS.get(group, ())
            if least.get(a) and least.get(b)}


def load():
    with open(PATH) as f:
        return json.load(f)["bounds"]


class Guard:
    """Judges rows as they are measured."""

    def __init__(self, bounds):
        self.bounds = bounds
        self.seen = {}  # pair -> least ratio so far

    def look(self, group, rows):
        for pair, ratio in ratios(group, rows).items():
            self.seen[pair] = min(ratio, self.seen.get(pair, ratio))

    def too_slow(self, group=None):
        """Pairs above their bound: of one group, or of all."""
        of = {f"{a}/{b}" for a, b in PAIRS.get(group, ())}
        return [pair for pair, ratio in self.seen.items()
                if (group is None or pair in of) and ratio > self.bounds[pair]["most"]]

    def report(self):
        print(f"\n{'guard':<50} {'ratio':>8} {'most':>8}")
        for pair, ratio in self.seen.items():
            word = "" if ratio <= self.bounds[pair]["most"] else "  SLOWER THAN NOISE EXPLAINS"
            print(f"{pair:<50} {ratio:>8.3f} {self.bounds[pair]['most']:>8.3f}{word}")


def derive(runs):
    """Bounds from the ratios of several runs: pair -> {"seen": [least, most], "most"}."""
    seen = {}
    for run in runs:
        for pair, ratio in run.items():
            seen.setdefault(pair, []).append(ratio)
    return {pair: {"seen": [round(min(r), 3), round(max(r), 3)],
                   "most": round(MARGIN * max(r), 3)} for pair, r in seen.items()}
