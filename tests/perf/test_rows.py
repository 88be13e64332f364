# SPDX-License-Identifier: BSD-3-Clause
"""What a run makes of its rows: ratios, verdicts, changes, tables, curves. Nothing is measured."""
import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "perf" / "harness"))
import charts  # noqa: E402
import groups  # noqa: E402
import rows as table  # noqa: E402
import tables  # noqa: E402

MACHINE = {"cpu": "C", "cpus": 2, "memory_mb": 1, "kernel": "k", "load": 0, "cpu_mhz": 2500}


def row(name, least, unit="cycles", median=None, **more):
    return {"name": name, "unit": unit, "min": least, "median": median or least, **more}


def script(name):
    """A command of perf/, as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(ROOT / "perf" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def test_a_row_is_related_to_the_loop_of_its_own_process():
    calm = [row("macswap_loop", 20), row("stray", 80)]
    loaded = [row("macswap_loop", 40), row("bulk_rx", 800)]
    for process in (calm, loaded):
        groups.beside_the_loop(process)
    merged = table.merge(calm + loaded + [row("table_hit_1m", 60)])
    table.finish(merged)
    got = {r["name"]: r["loop_ratio"] for r in merged}
    assert got == {"macswap_loop": 1, "stray": 4, "bulk_rx": 20, "table_hit_1m": None}


def test_rows_of_bursts_are_related_to_the_loop_of_that_burst():
    rows = [row("macswap_loop_burst_1", 160), row("macswap_loop_burst_64", 20),
            row("request_4k_burst_1", 1600), row("request_4k_burst_64", 600)]
    groups.beside_the_loop(rows)
    assert [r["loop_ratio"] for r in rows] == [1, 1, 10, 30]


def test_of_several_runs_a_row_keeps_the_ratio_of_its_minimum():
    got = groups.together([row("a", 10, loop_ratio=5, windows=4, median=12),
                           row("a", 8, loop_ratio=4, windows=4, median=9)])
    assert got == row("a", 8, loop_ratio=4, windows=8, median=12)


@pytest.mark.parametrize("before, after, word", [
    (row("stray", 80), row("stray", 60), "better"),
    (row("cores_2_ratio", 1.5, "ratio"), row("cores_2_ratio", 1.9, "ratio"), "better"),
    (row("budget_used_1m", 1.02, "ratio"), row("budget_used_1m", 1.08, "ratio"), "worse"),
    (row("budget_used_1m", 0.9, "ratio"), row("budget_used_1m", 0.98, "ratio"), "better"),
    (row("connection_4k_live", 4000, "count"), row("connection_4k_live", 5000, "count"), ""),
    (row("bytes_time_wait_v4", 48, "bytes"), row("bytes_time_wait_v4", 40, "bytes"), "better"),
])
def test_each_row_has_a_direction(before, after, word):
    assert script("compare").judge(before, after)[1] == word


@pytest.mark.parametrize("one, word", [
    (row("connections_held", 1e6, "count"), "not attempted"),
    (row("connections_held", 16e6, "count"), "met"), (row("stray", 31), "missed"),
    (row("stray", 30), "met"), (row("stray", 20), "stretch"), (row("other", 1), ""),
    (row("cores_2_ratio", 1.7, "ratio"), "missed"),
])
def test_what_is_said_of_a_target(one, word):
    assert table.verdict(one) == word


@pytest.mark.parametrize("args", [("--only", "nosuch"), ("--quick", "--only", "syn,sizes")])
def test_a_part_that_there_is_not_is_refused_with_those_that_there_are(args):
    done = subprocess.run([ROOT / "perf/run", *args], capture_output=True, text=True)
    assert done.returncode == 2 and "syn_auto, live, connection" in done.stderr


def test_the_readme_names_all_parts():
    text = (ROOT / "perf/README.md").read_text()
    line = next(li for li in text.splitlines() if li.startswith("| `perf/run --only"))
    assert [name for name in groups.parts(groups.FULL) if f"`{name}`" not in line] == []


def test_no_line_joins_keys_that_caches_hold_with_those_they_do_not():
    rows = [row("table_hit_64k", 22), row("table_hit_1m", 36), row("table_hit_32m", 177)]
    assert charts.by_connections(rows, ("table_hit",), charts.COLD) == {
        "table_hit": [(64000, 22), (1000000, 36)], "table_hit, cold": [(32000000, 177)]}
    assert "cold" in charts.pictures({"rows": rows, "machine": MACHINE, "commit": "c"})["table"]


def test_a_run_as_markdown_has_floor_and_rival_of_the_same_run():
    rows = [row("request_1m", 778, loop_ratio=27.7), row("floor_request_1m", 239),
            row("table_hit_1m", 69.4), row("floor_hit_1m", 45.6), row("rte_hash_hit_1m", 123)]
    table.finish(rows)
    got = tables.markdown({"rows": rows, "machine": MACHINE, "commit": "c0ffee", "mode": "quick"})
    assert "c0ffee" in got
    assert "| request_1m | 220 | missed | 778 | 778 | 27.7 |  | 239 |  |" in got
    assert "| table_hit_1m | 20 | missed | 69.4 | 69.4 |  |  | 45.6 | 123 |" in got


@pytest.mark.parametrize("name, floor", [
    ("connection_4k", "floor_connection_4k"), ("connection_1m", "floor_connection_1m"),
    ("connection_server_close_1m", "floor_connection_server_close_1m"),
    ("bulk_rx", "floor_bulk_rx"), ("bulk_tx", "floor_bulk_tx"),
    ("connection_4k_auto", None), ("bulk_tx_avoid", None), ("connections_held", None)])
def test_lives_and_bulk_stand_beside_floors_of_their_own(name, floor):
    floors = ("floor_connection_4k", "floor_connection_1m", "floor_connection_server_close_1m",
              "floor_bulk_rx", "floor_bulk_tx")
    by_name = {n: row(n, i) for i, n in enumerate(floors)}
    assert list(tables.beside(name, by_name)) == [floors.index(floor) if floor else None, None]


def test_a_run_against_linux_as_markdown():
    def of(name, value):
        return row(name, value, "count")
    rows = [of("http_1m_nginx", 900), of("http_1m_nginx_by_frames", 500), of("http_1m_sluice", 300),
            of("http_1m_ratio", 0.33), of("http_1m_ratio_by_frames", 0.6),
            of("flood_100k_sluice_auto_served", 0.998), of("flood_100k_sluice_auto_sent", 99000),
            of("flood_100k_sluice_auto_connect_p50", 350),
            of("flood_100k_sluice_auto_connect_p99", 3000000)]
    got = tables.markdown({"rows": rows, "machine": MACHINE, "commit": "c", "mode": "linux"})
    assert "| http_1m | nginx | 900 | 500 | 300 | 0.33 | 0.60 |" in got
    assert "| 100 k | 99,000 | sluice, cookies: auto | 99.8 % | 0.35 | 3,000 |" in got


def test_distances_that_perf_ahead_varies_are_in_the_source():
    ahead = script("ahead")
    assert [ahead.as_is(name) > 0 for name in ahead.DISTANCES] == [True] * 4
