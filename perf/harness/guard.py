# SPDX-License-Identifier: BSD-3-Clause
"""guard - ratios to a rival or a plain twin, and when one of them is no longer noise.

A pair is measured interleaved, by one process or in turns, so that what the machine does
besides meets both. Rows of packets are held against perf/busy.c, which keeps a core as busy as
they do: a neighbour on its other hardware thread made connection_4k 1.65 times as slow, that one
1.4 times, the macswap loop 1.1 times. No time is absolute: the bound is on the ratio. A ratio
above its bound is measured again, TRIES times in all, and the least counts: noise comes and goes,
what a change of the code did stays. A pair that could not be measured fails, and so does one that
has no bound.

The bounds are in perf/guard.json, for each kind of CPU with what they were derived from, and
`perf/guard --derive` writes those of its own kind anew, from several runs of one commit on a
machine as it is: the third worst ratio, since of three tries the least counts, times MARGIN. Two
processes differ by up to 10 % in single rows, since their pages lie elsewhere, and by 20 % if a
neighbour comes or goes, so that MARGIN is to spare. A row that takes twice as much is past it as
long as that ratio was less than 4/3 of the best.

CPUs of another kind have other vectors and caches. So the bound of a pair that was not seen on this
kind is wide, MARGIN_ELSEWHERE times the worst of any kind, which a report says: a row must become
from 2.5 to 5 times as slow to be seen. Derive them for that kind.
"""
import json
import os

import groups
import host

PATH = os.path.join(host.ROOT, "perf", "guard.json")
TRIES = 3
MARGIN = 1.4
MARGIN_ELSEWHERE = 2.5

# (row, its twin), by the group that measures both.
PAIRS = {
    "syn": [("syn_cookie_v4", "busy_loop"), ("syn_cookie_v6", "busy_loop"),
            ("syn_cookie_mix", "busy_loop"), ("bogus_ack_checked", "busy_loop"),
            ("stray", "busy_loop")],
    "syn_auto": [("bogus_ack_budget", "busy_loop")],
    "live": [("request_1m", "busy_loop"), ("syn_cookie_1m", "busy_loop")],
    "connection": [("connection_4k", "busy_loop"), ("connection_1m", "busy_loop")],
    "server_close": [("connection_server_close_1m", "busy_loop")],
    "bulk": [("bulk_rx", "busy_loop"), ("bulk_tx", "busy_loop")],
    "table": [("table_hit_1m", "rte_hash_hit_1m"), ("table_miss_1m", "rte_hash_miss_1m"),
              ("table_insert_1m", "rte_hash_insert_1m"),
              ("table_delete_1m", "rte_hash_delete_1m")],
    "timer": [("timer_mixed_1m", "rte_timer_mixed_1m")],
    "twins": [("syn_cookie_v4_simd_256", "syn_cookie_v4_simd_64"),
              ("syn_cookie_v6_simd_256", "syn_cookie_v6_simd_64"),
              ("syn_cookie_v4_simd_512", "syn_cookie_v4_simd_64"),
              ("syn_cookie_v6_simd_512", "syn_cookie_v6_simd_64")],
}
NEEDS = {"_simd_256": "avx2", "_simd_512": "avx512bw"}  # of a CPU, for vectors so wide


def pairs(group):
    """Those of a group that this CPU can have, by name: "row/twin"."""
    flags = host.words("/proc/cpuinfo")
    lacks = tuple(end for end, flag in NEEDS.items() if flag not in flags)
    return {f"{a}/{b}": (a, b) for a, b in PAIRS.get(group, ()) if not a.endswith(lacks)}


def twins(pages):
    """The SIMD leaves against their scalar twins, which are the same program told to have none."""
    syn = groups.Group("syn", ["--windows", 24], groups.SMALL, 0,
                       ("syn_cookie_v4", "syn_cookie_v6"))
    return groups.take_turns(pages, syn, groups.SIMD, 3)


def ratios(group, rows):
    """Of the pairs that these rows, of one run of @group, have both of: name -> ratio."""
    least = {row["name"]: row["min"] for row in rows}
    return {pair: least[a] / least[b] for pair, (a, b) in pairs(group).items()
            if least.get(a) and least.get(b)}


def kept():
    """What perf/guard.json has: kind of CPU -> its machine, commit, runs and ratios seen."""
    with open(PATH) as f:
        return json.load(f)


def keep(machine, commit, runs):
    """Put the ratios of these runs in the place of what was seen on such a CPU before."""
    entry = {"machine": machine, "commit": commit, "runs": len(runs), "seen": derive(runs)}
    kinds = kept() if os.path.exists(PATH) else {}
    with open(PATH, "w") as f:
        json.dump(dict(sorted((kinds | {machine["kind"]: entry}).items())), f, indent=1)
        f.write("\n")
    return entry["seen"]


def load():
    """(bounds by pair, whether all that this CPU can have were seen on one of its kind)"""
    kinds = kept()
    here = kinds.get(host.kind(), {"seen": {}})["seen"]
    worst = {}
    for entry in kinds.values():
        for pair, (_, most) in entry["seen"].items():
            worst[pair] = max(most, worst.get(pair, 0))
    bounds = {pair: MARGIN_ELSEWHERE * most for pair, most in worst.items()}
    bounds |= {pair: MARGIN * most for pair, (_, most) in here.items()}
    return bounds, all(pair in here for group in PAIRS for pair in pairs(group))


class Guard:
    """Judges rows as they are measured."""

    def __init__(self, bounds, at_home=True):
        self.bounds, self.at_home = bounds, at_home
        self.seen = {}  # pair -> least ratio so far; None: a group was to have it and had not

    def look(self, group, rows):
        got = ratios(group, rows)
        for pair in pairs(group):
            both = [r for r in (got.get(pair), self.seen.get(pair)) if r is not None]
            self.seen[pair] = min(both, default=None)

    def too_slow(self, group=None):
        """Pairs above their bound: of one group, or of all."""
        return [pair for pair, ratio in self.seen.items()
                if (group is None or pair in pairs(group)) and ratio is not None
                and ratio > self.bounds.get(pair, 0)]

    def unmeasured(self):
        return [pair for pair, ratio in self.seen.items() if ratio is None]

    def fails(self):
        return bool(self.too_slow() or self.unmeasured())

    def report(self):
        print(f"\n{'guard':<50} {'ratio':>8} {'most':>8}")
        for pair, ratio in self.seen.items():
            most = self.bounds.get(pair)
            a, b = ("-" if n is None else f"{n:.3f}" for n in (ratio, most))
            print(f"{pair:<50} {a:>8} {b:>8}  {self._verdict(ratio, most)}".rstrip())
        if not self.at_home:
            print("Bounds are of CPUs of another kind, and wide therefore: a row twice as slow "
                  "may pass. perf/guard --derive makes some for this one.")

    @staticmethod
    def _verdict(ratio, most):
        if ratio is None:
            return "NOT MEASURED"
        if most is None:
            return "HAS NO BOUND: perf/guard --derive"
        return "" if ratio <= most else "SLOWER THAN NOISE EXPLAINS"


def derive(runs):
    """Of several runs, pair -> [the least ratio, the worst that the least of TRIES may be]."""
    seen = {}
    for run in runs:
        for pair, ratio in run.items():
            seen.setdefault(pair, []).append(ratio)
    return {pair: [round(min(r), 4), round(sorted(r)[-TRIES], 4)]
            for pair, r in seen.items()}
