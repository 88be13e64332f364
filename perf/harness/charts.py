# SPDX-License-Identifier: BSD-3-Clause
"""charts - which rows of a run make which picture. A row's name says where it belongs."""
import os
import re

import svg

SIZED = re.compile(r"(connection|request|syn_cookie|table_hit|table_miss|rte_hash_hit|"
                   r"rte_hash_miss)_(\d+)([km])$")
BURST = re.compile(r"(.*)_burst_(\d+)$")
STAGE = re.compile(r"(.*)_stage_(\w+)$")
SIMD = re.compile(r"(.*)_simd_(\d+)$")
OFFLOAD = re.compile(r"(.*)_offload_(on|off)$")
FLOOD = re.compile(r"flood_(\d+)k_(\w+)_(served|connect_p50|connect_p99)$")
RATIO = re.compile(r"((?:http|proxy)_\w+)_ratio(_by_frames)?$")
COLD = 32000000  # entries; below, the table's keys come from so few that caches hold them
RATIOS = ("rival as it is", "rival with its end's offloads off")
STAGES = ("receive", "parse", "find", "strangers", "triage", "answer", "input", "expire",
          "deliver", "output", "settle", "send")
WIDTHS = {"64": "scalar (64 bits)", "256": "up to AVX2 (256)", "512": "up to AVX-512 (512)"}


def of_a_curve(name):
    """Whether a row is one point of many rather than a figure of its own; what sorts it."""
    for pattern in (BURST, STAGE, SIMD, OFFLOAD):
        if m := pattern.match(name):
            return pattern.pattern, m[1], int(m[2]) if m[2].isdigit() else 0
    return None


def matched(rows, pattern):
    for row in rows:
        if m := pattern.match(row["name"]):
            yield m, row["min"]


def by_connections(rows, wanted, cold=None):
    """Name -> points. From @cold entries on keys come from all of them: no line joins the two."""
    series = {}
    for m, cost in matched(rows, SIZED):
        if m[1] in wanted:
            n = int(m[2]) * {"k": 1000, "m": 1000000}[m[3]]
            name = m[1] + (", cold" if cold and n >= cold else "")
            series.setdefault(name, []).append((n, cost))
    says = {"connection": "connection (eight packets)"}
    return {says.get(name, name): series[name]
            for name in [*wanted, *(name + ", cold" for name in wanted)]
            if len(series.get(name, [])) > 1 or (name in series and ", cold" in name)}


def by_burst(rows):
    series = {}
    for m, cost in matched(rows, BURST):
        series.setdefault(m[1], []).append((int(m[2]), cost))
    return series


def a_packet(name, cost):
    """A connection's whole life is eight packets: beside others it is drawn as one of them."""
    return (f"{name} / 8", cost / 8) if name.startswith("connection_") else (name, cost)


def variants(rows, pattern, says):
    """Name -> {what the variant is called: cost}, where there is more than one."""
    bars = {}
    for m, cost in matched(rows, pattern):
        name, cost = a_packet(m[1], cost)
        bars.setdefault(name, {})[says[m[2]]] = cost
    return {name: costs for name, costs in bars.items() if len(costs) > 1}


def stages(rows):
    bars = {}
    for m, cost in ((m, row["median"]) for row in rows if (m := STAGE.match(row["name"]))):
        name, cost = a_packet(m[1], cost)
        bars.setdefault(name, {})[m[2]] = cost
    return bars


def against_linux(rows, note):
    """What perf/linux measured; names of its rows are of no other's."""
    curves, out = {}, {}
    for row in rows:
        if m := FLOOD.match(row["name"]):
            value = row["median"] * (100 if m[3] == "served" else 0.001)
            curves.setdefault(m[3], {}).setdefault(m[2], []).append((1000 * int(m[1]), value))
    for what, title, says in (
            ("served", "Visitors served during a SYN flood", "per cent served within 3 s"),
            ("connect_p50", "Half of the visitors are connected within", "ms"),
            ("connect_p99", "99 of 100 visitors are connected within", "ms")):
        if what in curves:
            share = what == "served"
            out[what] = svg.lines(title, note, "SYNs of the flood a second, as asked for", says,
                                  curves[what], 100 if share else None, not share)
    bars = {}
    for row in rows:
        if m := RATIO.match(row["name"]):
            bars.setdefault(m[1], {})[RATIOS[bool(m[2])]] = row["median"]
    if bars:
        out["answers"] = svg.grouped("sluice's answers a second over nginx's (http) and haproxy's",
                                     note, "ratio; above 1 sluice gives more", bars, RATIOS)
    return out


def pictures(result):
    """File name -> picture, of what this run has rows for."""
    rows, host = result["rows"], result["machine"]
    note = (f"{host['cpu']}, {host['cpu_mhz'] / 1000:.1f} GHz, load {host['load']:.1f}, "
            f"commit {result['commit']}; minima")
    out = {}

    def put(name, how, title, bars, *says):
        if bars:
            out[name] = how(title, note, *says, bars)

    put("connections", svg.lines, "Cost against number of connections",
        by_connections(rows, ("connection", "request", "syn_cookie")),
        "live connections", "cycles")
    put("table", svg.lines, "The connection table against rte_hash",
        by_connections(rows, ("table_hit", "table_miss", "rte_hash_hit", "rte_hash_miss"), COLD),
        "entries", "cycles a lookup")
    put("burst", svg.lines, "Cost against burst size", by_burst(rows), "packets in a burst",
        "cycles a packet")
    if bars := stages(rows):
        out["stages"] = svg.stacked("Where a packet's cycles go", note.replace("minima", "medians"),
                                    "cycles a packet; of connection_* an eighth of a life",
                                    bars, STAGES)
    if bars := variants(rows, SIMD, WIDTHS):
        out["simd"] = svg.grouped("Width of SIMD allowed", note, "cycles a packet", bars,
                                  list(WIDTHS.values()))
    if bars := variants(rows, OFFLOAD, {"off": "summed in software", "on": "summed by the port"}):
        out["offload"] = svg.grouped("Checksums in software and by the port", note, "cycles a packet",
                                     bars, ["summed in software", "summed by the port"])
    return out | against_linux(rows, note.replace("minima", "medians"))


def draw(result, directory, stem):
    """Write all pictures; returns their paths."""
    paths = []
    for name, text in pictures(result).items():
        paths.append(os.path.join(directory, f"{stem}-{name}.svg"))
        with open(paths[-1], "w") as f:
            f.write(text)
    return paths
