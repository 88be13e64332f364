# SPDX-License-Identifier: BSD-3-Clause
"""tables - a result as Markdown, to be put into perf/README.md as it is."""
import re

import charts
import rows as table

# What a row's name begins with: its floor, and its rival in the same process.
BESIDE = {
    "syn_cookie_1m": ("floor_syn_1m", None), "request_1m": ("floor_request_1m", None),
    "connection_": ("floor_connection_", None), "bulk_rx": ("floor_bulk_rx", None),
    "bulk_tx": ("floor_bulk_tx", None),
    "table_hit_": ("floor_hit_", "rte_hash_hit_"), "table_miss_": ("floor_miss_", "rte_hash_miss_"),
    "table_insert_": (None, "rte_hash_insert_"), "table_delete_": (None, "rte_hash_delete_"),
    "timer_mixed_": ("timer_floor_", "rte_timer_mixed_"),
}
ENDS = {"": "", "_by_frames": " by frames"}
FLOOD = re.compile(r"flood_(\d+)k_(\w+)_served$")


def cell(x):
    """A figure with as many digits as mean something."""
    if x is None:
        return ""
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.1f}" if abs(x) >= 10 else f"{x:.2f}"


def share(x):
    return f"{100 * x:.1f} %"


def line(*cells):
    return "| " + " | ".join(str(c) for c in cells) + " |"


def head(*names):
    return [line(*names), "|" + "---|" * len(names)]


def beside(name, by_name):
    """The minima of a row's floor and of its rival, None where there is none."""
    for start, others in BESIDE.items():
        if name.startswith(start) and not name.endswith(("_reader", "_load95")):
            found = [by_name.get(other and other + name[len(start):]) for other in others]
            return [row and row["min"] for row in found]
    return None, None


def where(result):
    m = result["machine"]
    return (f"{m['cpu']}, {m['cpus']} CPUs, {m['memory_mb']} MB, Linux {m['kernel']}; commit "
            f"{result['commit']}, mode {result['mode']}, load {m['load']:.1f} at the start.")


def costs(result):
    """Of perf/run: the rows with targets, in their order, then what is of the same kind."""
    by_name = {row["name"]: row for row in result["rows"]}
    more = [name for name in by_name if name not in table.TARGETS
            and not charts.of_a_curve(name) and re.match(
        r"(macswap_loop|testpmd_macswap|budget_used_\w+|stray_\w+|syn_\w+|request_\d+[km]|"
        r"connection_\d+[km]|(table_(hit|miss|insert|delete)|timer_mixed)_\d+[km])$", name)]
    out = head("row", "target", "", "minimum", "median", "of the loop", "of testpmd",
               "floor", "rival")
    for name in [n for n in table.TARGETS if n in by_name] + more:
        row = by_name[name]
        target = row.get("target")
        said = table.verdict(row) + (", noisy" if table.is_noisy(row) else "")
        form = table.number if row["unit"] in ("bytes", "count") else cell
        out.append(line(name, table.number(target) if target and target >= 1e5 else
                        f"{target:g}" if target else "", said.removeprefix(", "),
                        form(row["min"]), form(row["median"]),
                        cell(row.get("loop_ratio")), cell(row.get("testpmd_ratio")),
                        *map(cell, beside(name, by_name))))
    return out


def against_linux(result):
    """Of perf/linux: answers a second, and who gets in during a flood."""
    value = {row["name"]: row["median"] for row in result["rows"]}
    out = head("answers a second", "rival", "as it is", "by frames", "sluice", "ratio",
               "ratio by frames")
    for name in [n.removesuffix("_ratio") for n in value if n.endswith("_ratio")]:
        rival = "nginx" if name.startswith("http") else "haproxy"
        out.append(line(name, rival, *(cell(value[f"{name}_{rival}{end}"]) for end in ENDS),
                        cell(value[f"{name}_sluice"]),
                        *(cell(value[f"{name}_ratio{end}"]) for end in ENDS)))
    out += ["", *head("SYNs a second", "really", "server", "served", "connect p50, ms", "p99, ms")]
    for m in filter(None, map(FLOOD.match, value)):
        what = f"flood_{m[1]}k_{m[2]}"
        out.append(line(m[1] + " k", cell(value[what + "_sent"]), m[2].replace("_", ", cookies: "),
                        share(value[what + "_served"]),
                        *(cell(value[f"{what}_connect_{p}"] / 1000) for p in ("p50", "p99"))))
    return out


def markdown(result):
    rows = against_linux(result) if result["mode"] == "linux" else costs(result)
    return "\n".join([where(result), "", *rows])
