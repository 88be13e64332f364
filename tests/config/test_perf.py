# SPDX-License-Identifier: BSD-3-Clause
"""perf/'s own scripts on made-up results: what they call a change, and what they draw."""
import json
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PERF = ROOT / "perf"
sys.path.insert(0, str(PERF / "harness"))
import charts  # noqa: E402
import host  # noqa: E402
import rows as table  # noqa: E402
import svg  # noqa: E402

HOST = {"cpu": "made up", "cpus": 2, "cpu_mhz": 2600.0, "memory_mb": 1000, "kernel": "1",
        "load": 0.0}


def row(name, least, median=None, unit="cycles"):
    return {"name": name, "unit": unit, "min": least, "median": median or least * 1.01}


def result(*rows, commit="aaa", host=HOST):
    return {"machine": host, "commit": commit, "seconds": 1, "rows": list(rows)}


@pytest.fixture
def compare(tmp_path):
    """perf/compare of two results: row -> what is said of it, and all that is said."""
    def run(a, b):
        for name, r in (("a", a), ("b", b)):
            (tmp_path / name).write_text(json.dumps(r))
        out = subprocess.run([PERF / "compare", tmp_path / "a", tmp_path / "b"],
                             capture_output=True, text=True, check=True).stdout
        return {line.split()[0]: line for line in out.splitlines() if line}, out
    return run


def word(lines, name):
    last = lines[name].split()[-1]
    return "" if last.endswith("%") else last


def test_less_cycles_are_better_and_more_are_worse(compare):
    lines, out = compare(result(row("x", 100), row("y", 100)),
                         result(row("x", 90), row("y", 110), commit="bbb"))
    assert word(lines, "x") == "better" and "-10.0%" in lines["x"]
    assert word(lines, "y") == "worse" and "+10.0%" in lines["y"]
    assert "1 better, 1 worse" in out


def test_more_of_a_ratio_or_a_count_is_better(compare):
    lines, _ = compare(result(row("r", 1.5, 1.5, "ratio"), row("c", 1e6, 1e6, "count")),
                       result(row("r", 1.8, 1.8, "ratio"), row("c", 9e5, 9e5, "count")))
    assert word(lines, "r") == "better" and word(lines, "c") == "worse"


def test_what_is_within_three_per_cent_is_no_change(compare):
    lines, _ = compare(result(row("x", 100)), result(row("x", 102.9)))
    assert word(lines, "x") == ""


def test_a_byte_more_is_a_change(compare):
    lines, _ = compare(result(row("b", 192, 192, "bytes")), result(row("b", 193, 193, "bytes")))
    assert word(lines, "b") == "worse"


def test_a_change_within_the_calmer_runs_noise_is_none(compare):
    lines, _ = compare(result(row("x", 100, 110)), result(row("x", 109, 120)))
    assert word(lines, "x") == ""
    lines, _ = compare(result(row("x", 100, 110)), result(row("x", 112, 124)))
    assert word(lines, "x") == "worse"


def test_a_noisy_run_proves_less(compare):
    lines, _ = compare(result(row("x", 100)), result(row("x", 140, 210)))
    assert word(lines, "x") == "noisy"
    lines, _ = compare(result(row("x", 100)), result(row("x", 160, 210)))
    assert word(lines, "x") == "worse"


def test_rows_of_one_run_only_are_named(compare):
    lines, _ = compare(result(row("old", 1), commit="aaa"), result(row("new", 1), commit="bbb"))
    assert lines["old"].endswith("only in aaa") and lines["new"].endswith("only in bbb")


def test_other_machines_are_said(compare):
    _, out = compare(result(row("x", 1)), result(row("x", 1), host={**HOST, "cpu": "another"}))
    assert "different machines: cpu made up and another" in out
    lines, out = compare(result(row("x", 1)), result(row("x", 2), host={**HOST, "kind": "later"}))
    assert "different machines: kind" in out and lines["x"].endswith("other machine")


def test_of_another_cpu_no_row_is_called_better_or_worse_but_bytes(compare):
    lines, out = compare(
        result(row("x", 100), row("y", 100), row("near", 100), row("b", 192, 192, "bytes")),
        result(row("x", 50), row("y", 200), row("near", 101), row("b", 193, 193, "bytes"),
               host={**HOST, "cpu": "another"}))
    assert lines["x"].endswith("-50.0% other machine")
    assert lines["y"].endswith("+100.0% other machine")
    assert word(lines, "near") == "" and word(lines, "b") == "worse"
    assert out.endswith("\n0 better, 1 worse, 2 not to be told: other machine\n")


@pytest.mark.parametrize("script", ["compare", "draw"])
@pytest.mark.parametrize("text, says", [(None, "No such file or directory"), ("{", "is no JSON"),
                                        ("{}", "is no result of perf/run or perf/linux")])
def test_what_is_no_result_is_said_in_a_line(tmp_path, script, text, says):
    path = tmp_path / "r.json"
    if text:
        path.write_text(text)
    out = subprocess.run([PERF / script, path, *([path] if script == "compare" else [])],
                         capture_output=True, text=True)
    assert (out.returncode, out.stdout, out.stderr) == (1, "", f"{path}: {says}\n")


def test_a_result_without_curves_is_said_to_have_none(tmp_path):
    path = tmp_path / "r.json"
    path.write_text(json.dumps(result(row("x", 1))))
    out = subprocess.run([PERF / "draw", path], capture_output=True, text=True, check=True)
    assert (out.stdout, out.stderr) == (
        "", f"{path} has no curve to draw; --table prints its figures\n")


def test_a_path_is_told_from_here_only_if_it_is_below(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert table.save(result(), str(tmp_path / "x.json")) == str(tmp_path / "x.json")
    assert table.save(result(), str(tmp_path / "here/x.json")) == "x.json"
    assert table.save(result(), "../y.json") == "../y.json"


@pytest.mark.parametrize("ninja, says", [
    ("ninja: no work to do.", ""),
    ("[1/1] Linking", "building in build-odd, which takes minutes the first time ...\n"),
])
def test_a_build_is_announced_if_there_is_something_to_build(tmp_path, monkeypatch, capsys, ninja,
                                                             says):
    for name in "ninja", "meson":
        (tmp_path / name).write_text(f"#!/bin/bash\necho '{ninja}'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    host.build(str(ROOT / "build-odd"))
    assert capsys.readouterr() == ("", says)


def test_nothing_divides_by_nothing(compare):
    lines, _ = compare(result(row("z", 0, 0), row("n", 0, 0)), result(row("z", 0, 0), row("n", 3)))
    assert word(lines, "z") == "" and word(lines, "n") == "worse"


def test_a_row_is_related_to_its_target_and_to_testpmd():
    rows = [row("syn_cookie_v4", 44), row("macswap_loop", 11), row("testpmd_macswap", 8),
            row("connections_held", 17e6, 17e6, "count"), row("stray", 31)]
    table.finish(rows)
    assert rows[0]["target"] == 45 and rows[0]["testpmd_ratio"] == 5.5
    assert rows[3]["testpmd_ratio"] is None
    assert [table.verdict(r) for r in rows] == ["met", "", "", "met", "missed"]


def test_the_least_of_rows_measured_twice_is_kept():
    assert [r["min"] for r in table.merge([row("m", 12), row("m", 11), row("m", 13)])] == [11]


def texts(picture):
    tree = xml.fromstring(picture)
    return [e.text for e in tree.iter("{http://www.w3.org/2000/svg}text")], tree


def test_curves_are_drawn_of_the_rows_that_belong_to_them():
    rows = [row(f"connection_{n}", 700 + i) for i, n in enumerate(("4k", "64k", "1m", "16m"))]
    rows += [row(f"syn_cookie_v4_burst_{n}", 600 / n) for n in (1, 8, 64)]
    rows += [row(f"request_1m_stage_{s}", 50.0) for s in ("parse", "find", "output")]
    rows += [row(f"bulk_rx_simd_{w}", 100 + w) for w in (64, 256, 512)]
    rows += [row("bulk_rx_offload_on", 300), row("bulk_rx_offload_off", 400)]
    pictures = charts.pictures(result(*rows))
    assert sorted(pictures) == ["burst", "connections", "offload", "simd", "stages"]
    said, tree = texts(pictures["connections"])
    assert "connection (eight packets)" in said and "16 M" in said and "4 k" in said
    assert len(list(tree.iter("{http://www.w3.org/2000/svg}circle"))) == 4
    assert "152" in texts(pictures["stages"])[0]  # the sum of three medians of 50.5


def test_a_curve_of_one_point_is_not_drawn():
    assert charts.pictures(result(row("connection_1m", 900))) == {}


def test_a_picture_stays_within_its_frame():
    series = {"a": [(n, n * 1.5) for n in (1, 2, 4, 8)], "b": [(0, 3), (8, 1)]}
    tree = xml.fromstring(svg.lines("t", "n", "x", "y", series))
    width, height = float(tree.get("width")), float(tree.get("height"))
    for c in tree.iter("{http://www.w3.org/2000/svg}circle"):
        assert svg.LEFT <= float(c.get("cx")) <= width and 0 <= float(c.get("cy")) <= height


def test_round_numbers_reach_the_most():
    for most in (0.3, 7, 99, 100, 101, 3823):
        assert svg.steps(most)[-1] >= most and len(svg.steps(most)) <= 7


def test_who_was_served_is_drawn_with_the_quiet_case_left_of_all():
    rows = [row(f"flood_{k}k_{who}_served", 1.0, 0.5 if k else 1.0, "ratio")
            for k in (0, 10, 100) for who in ("linux", "sluice_auto")]
    rows += [row("http_close_ratio", 1.2, 1.3, "ratio"),
             row("http_close_ratio_by_frames", 1.4, 1.5, "ratio")]
    pictures = charts.pictures(result(*rows))
    assert sorted(pictures) == ["answers", "served"]
    said, tree = texts(pictures["served"])
    assert {"linux", "sluice_auto", "0", "10 k", "100 k", "100"} <= set(said)
    at = sorted({float(c.get("cx")) for c in tree.iter("{http://www.w3.org/2000/svg}circle")})
    assert len(at) == 3
    assert {"http_close", "1.30", "1.50"} <= set(texts(pictures["answers"])[0])
