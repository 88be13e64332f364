# SPDX-License-Identifier: BSD-3-Clause
"""perf/run --quick, guarded: no row lost ground to its twin, and one that does is noticed."""
import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "perf" / "harness"))
import guard  # noqa: E402


def run(tmp_path, *args, seconds=600):
    """Its exit code, what it said and the rows by name."""
    out = tmp_path / "result.json"
    done = subprocess.run([ROOT / "perf/run", "--quick", "--guard", "--out", out, *args],
                          capture_output=True, text=True, timeout=seconds)
    rows = json.loads(out.read_text())["rows"] if out.exists() else []
    return done.returncode, done.stdout + done.stderr, {row["name"]: row for row in rows}


def test_no_row_is_slower_beside_its_twin_than_noise_explains(tmp_path):
    code, said, rows = run(tmp_path)
    assert code == 0, said
    for group, pairs in guard.PAIRS.items():
        for a, b in pairs if group != "twins" or guard.has_twins() else []:
            assert f"{a}/{b}" in said  # each was looked at
    assert rows["syn_cookie_v4"]["testpmd_ratio"] > 1


@pytest.mark.parametrize("group, row", [("syn", "stray"), ("syn_auto", "bogus_ack_budget"),
                                        ("bulk", "bulk_rx")])
def test_a_row_made_slower_is_noticed(tmp_path, group, row):
    code, said, _ = run(tmp_path, "--only", group, "--handicap", row)
    assert code == 1, said
    slower = [line for line in said.splitlines() if "SLOWER" in line]
    assert slower and all(line.startswith(row + "/") for line in slower), said
    assert f"{group}" in said and "try 3" in said  # it had its chances


def test_the_least_of_several_tries_counts():
    pair = "stray/macswap_loop"
    g = guard.Guard({pair: {"most": 10}})
    for cost in (150, 120, 99):
        assert bool(g.too_slow()) == bool(g.seen)  # none so far was good enough
        g.look("syn", [{"name": "stray", "min": cost}, {"name": "macswap_loop", "min": 10}])
    assert g.too_slow() == [] and g.seen[pair] == 9.9


def test_a_pair_of_which_one_is_missing_is_not_judged():
    assert guard.ratios("syn", [{"name": "stray", "min": 100}]) == {}


def test_bounds_are_the_worst_of_several_runs_and_a_margin():
    got = guard.derive([{"a/b": 2.0}, {"a/b": 3.0}])
    assert got == {"a/b": {"seen": [2.0, 3.0], "most": 3.0 * guard.MARGIN}}


def test_every_pair_has_a_bound_which_its_own_runs_met():
    known = guard.load()
    for pairs in guard.PAIRS.values():
        for a, b in pairs:
            bound = known[f"{a}/{b}"]
            assert bound["seen"][1] <= bound["most"] <= bound["seen"][1] * guard.MARGIN + 0.01
