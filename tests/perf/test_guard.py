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
    for pair in (pair for group in guard.PAIRS for pair in guard.pairs(group)):
        assert pair in said  # each was looked at
    assert rows["syn_cookie_v4"]["testpmd_ratio"] > 1
    # what has neither a target nor a twin, and could get lost unseen
    assert {"connection_4k_auto", "floor_cookie", "bulk_tx_avoid", "stray_one_port"} <= rows.keys()


@pytest.mark.parametrize("group, row", [("syn", "stray"), ("syn_auto", "bogus_ack_budget"),
                                        ("bulk", "bulk_rx"), ("bulk", "bulk_tx")])
def test_a_row_made_twice_as_slow_is_noticed(tmp_path, group, row):
    times = 2 if guard.load()[1] else 6  # bounds of another kind of CPU are wide
    code, said, _ = run(tmp_path, "--only", group, "--handicap", row, "--times", str(times))
    assert code == 1, said
    slower = [line for line in said.splitlines() if "SLOWER" in line]
    assert slower and all(line.startswith(row + "/") for line in slower), said
    assert f"{group}" in said and "try 3" in said  # it had its chances


STRAY, LOOP = "stray/busy_loop", {"name": "busy_loop", "min": 10}


def test_the_least_of_several_tries_counts():
    g = guard.Guard({STRAY: 10})
    for cost in (150, 120, 99):
        assert bool(g.too_slow()) == bool(g.seen)  # none so far was good enough
        g.look("syn", [{"name": "stray", "min": cost}, LOOP])
    assert g.too_slow() == [] and g.seen[STRAY] == 9.9


def test_a_pair_that_was_not_measured_fails():
    g = guard.Guard({pair: 10 for pair in guard.pairs("syn")})
    rows = [{"name": a, "min": 90} for a, _ in guard.PAIRS["syn"]]
    g.look("syn", [row for row in rows if row["name"] != "stray"] + [LOOP])
    assert g.too_slow() == [] and g.unmeasured() == [STRAY] and g.fails()
    g.look("syn", [*rows, LOOP])  # another run of the group, which had it
    assert not g.fails()
    g.look("syn", [])  # and one that had nothing takes nothing back
    assert not g.fails()


def test_a_group_that_measured_nothing_fails():
    g = guard.Guard({pair: 10 for pair in guard.pairs("bulk")})
    g.look("bulk", [])
    assert sorted(g.unmeasured()) == sorted(guard.pairs("bulk")) and g.fails()


def test_a_pair_without_a_bound_fails(capsys):
    g = guard.Guard({})
    g.look("syn_auto", [{"name": "bogus_ack_budget", "min": 90}, LOOP])
    g.report()
    assert g.fails() and "HAS NO BOUND" in capsys.readouterr().out


def test_derived_is_the_range_of_several_runs_but_for_what_is_tried_again():
    runs = [{"a/b": ratio} for ratio in (4.0, 2.0, 9.0, 3.0, 7.0)]
    assert guard.derive(runs) == {"a/b": [2.0, 4.0]}


HERE, XEON = {"kind": guard.host.kind()}, {"kind": "another"}


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "PATH", tmp_path / "guard.json")


def test_bounds_are_the_worst_seen_on_such_a_cpu_and_a_margin(kept):
    guard.keep(XEON, "a", 3 * [{"a/b": 9}])
    guard.keep(HERE, "a", [{"a/b": ratio} for ratio in (2, 4, 5, 6)])
    assert guard.load()[0] == {"a/b": 4 * guard.MARGIN}
    guard.keep(HERE, "b", 3 * [{"a/b": 3}])  # anew
    assert guard.load()[0] == {"a/b": 3 * guard.MARGIN}


def test_what_was_seen_only_on_other_cpus_has_the_worst_of_all_and_a_wider_margin(kept):
    guard.keep(XEON, "a", 3 * [{"a/b": 4, "c/d": 1}])
    guard.keep({"kind": "a third"}, "a", 3 * [{"a/b": 3}])
    guard.keep(HERE, "a", 3 * [{"c/d": 2}])
    assert guard.load() == ({"a/b": 4 * guard.MARGIN_ELSEWHERE, "c/d": 2 * guard.MARGIN}, False)


def test_a_kind_with_all_of_its_pairs_is_at_home(kept):
    every = {pair: 1 for group in guard.PAIRS for pair in guard.pairs(group)}
    guard.keep(HERE, "a", 3 * [every])
    assert guard.load()[1]


def test_every_pair_was_seen_closely_enough_for_a_doubling_to_be_noticed():
    assert guard.kept()
    for kind, entry in guard.kept().items():
        assert entry["commit"] and entry["machine"]["kind"] == kind
        assert entry["runs"] > guard.TRIES
        for least, most in entry["seen"].values():
            assert guard.MARGIN * most < 2 * least
