# SPDX-License-Identifier: BSD-3-Clause
"""The command line, exit codes, drains and reports."""
import contextlib
import os
import signal
import socket
import time

import pytest

import world as w


def write(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("args", [["--help"], ["--", "--help"], ["-l", "0", "--", "--help"]])
def test_help_needs_nothing(args):
    out = w.run(w.SLUICE, *args)
    assert out.returncode == 0 and "--config FILE" in out.stdout


@pytest.mark.parametrize("args", [["--version"], ["--", "--version"]])
def test_version_needs_nothing(args):
    out = w.run(w.SLUICE, *args)
    assert out.returncode == 0 and out.stdout.startswith("sluice ")


@pytest.mark.parametrize("args", [[], ["--"]])
def test_check_needs_no_eal_and_no_root(tmp_path, args):
    path = write(tmp_path, w.BASIC)
    tmp_path.chmod(0o755)
    out = w.run(w.SLUICE, *args, "--config", path, "--check")
    assert out.returncode == 0, out.stderr
    assert "TIME-WAIT" in out.stdout


def test_check_accepts_what_config_ships():
    for name in "sluice.yaml", "small.yaml", "routed.yaml", "reference.yaml":
        out = w.run(w.SLUICE, "--config", w.ROOT / "config" / name, "--check")
        assert out.returncode == 0, out.stdout + out.stderr


def test_check_refuses_what_does_not_fit(tmp_path):
    path = write(tmp_path, w.BASIC.replace("connections: 20000", "connections: 67108864"))
    out = w.run(w.SLUICE, "-l", "0", "-m", "64", "--", "--config", path, "--check")
    assert out.returncode == 2 and "does not fit" in out.stderr


def test_too_few_buffers_are_told_with_their_line(tmp_path):
    def check(buffers):
        path = write(tmp_path, w.BASIC.replace("\nengine: {", f"\nengine: {{buffers: {buffers}, "))
        return path, w.run(w.SLUICE, "-l", "0,1", "--", "--config", path, "--check")

    path, out = check(1024)
    line = path.read_text()[:path.read_text().index("buffers:")].count("\n") + 1
    assert (out.returncode, out.stdout) == (2, "")
    least = w.number(rf"^{path}:{line}: engine.buffers: 1024: want at least (\d+) with 2 workers\n$",
                     out.stderr)
    assert check(int(least))[1].returncode == 0


@pytest.mark.parametrize("lcores, workers", [
    (["-l", "0"], 1), (["-l0,1"], 2), (["-l", "0-3"], 4), (["--lcores", "0@0,1@1"], 2),
    ([], len(os.sched_getaffinity(0))), (["-c", "0x15"], 3), (["-c3"], 2),
    (["--lcores=(0-7)@(0-1)"], 8), (["--lcores", "(0,2)@1,5@(0,1),7"], 4)])
def test_check_counts_the_workers_that_eal_would_make(tmp_path, lcores, workers):
    path = write(tmp_path, w.BASIC)
    out = w.run(w.SLUICE, *lcores, "--", "--config", path, "--check")
    assert f"of each of {workers} worker" in out.stdout


@pytest.mark.parametrize("connections", [1024, 20000, 200000])
@pytest.mark.parametrize("workers", [1, 2])
def test_the_memory_that_check_wants_is_enough_and_no_luxury(own, tmp_path, workers, connections):
    config = w.BASIC.replace("connections: 20000", f"connections: {connections}")
    out = w.run(w.SLUICE, "-l", f"0-{workers - 1}", "--no-huge", "-m", "4000", "--", "--config",
                write(tmp_path, config), "--check")
    wants = int(w.number(r"EAL wants -m (\d+)", out.stdout))
    own(config=config, workers=workers, memory=wants,
        vdevs=(f"net_af_packet0,iface=sluice,framecnt=4096,qpairs={workers}",)).stop_clean()
    less = own(config=config, workers=workers, memory=wants * 3 // 4, ready=False)
    assert less.process.wait(10) == 1 and "no memory" in less.said()


@pytest.mark.parametrize("name", ["sluice.yaml", "small.yaml", "reference.yaml"])
@pytest.mark.parametrize("huge", [[], ["--no-huge"]])
def test_check_accepts_just_what_it_wants(name, huge):
    def check(megabytes):
        return w.run(w.SLUICE, "-l", "0", *huge, "-m", str(megabytes), "--", "--config",
                     w.ROOT / "config" / name, "--check")
    wants = int(w.number(r"EAL wants -m (\d+)", check(4000).stdout))
    assert check(wants).returncode == 0
    less = check(wants - 1)
    assert less.returncode == 2 and f"EAL has {wants - 1} MiB; want {wants}" in less.stderr


def test_no_huge_without_an_amount_is_64_megabytes(tmp_path):
    path = write(tmp_path, w.BASIC.replace("connections: 20000", "connections: 200000"))
    out = w.run(w.SLUICE, "-l", "0", "--no-huge", "--", "--config", path, "--check")
    assert out.returncode == 2 and "EAL has 64 MiB" in out.stderr


@pytest.mark.parametrize("args", [["--"], ["--", "--frob"], ["--", "--config"],
                                  ["--", "--config", "/nowhere.yaml"]])
def test_usage_mistakes_exit_2(args):
    out = w.run(w.SLUICE, *args)
    assert out.returncode == 2 and out.stderr != ""


def test_a_configuration_mistake_exits_2_and_names_the_line(tmp_path):
    path = write(tmp_path, w.BASIC.replace("connections: 20000", "connections: 3e6"))
    out = w.run(w.SLUICE, "-l", "0", "--no-huge", "-m", "64", "--no-pci", "--", "--config", path)
    assert out.returncode == 2
    assert "engine.connections: 3e6: want a whole number from 1024 to 67108864" in out.stderr
    assert f"{path}:12:" in out.stderr


def test_a_port_that_is_not_there_exits_1(tmp_path):
    path = write(tmp_path, w.BASIC.replace("net_af_packet0", "net_null7"))
    out = w.run(w.SLUICE, "-l", "0", "--no-huge", "-m", "256", "--no-pci", "--no-telemetry",
                "--no-shconf", "--log-level", "*:error", "--", "--config", path)
    assert out.returncode == 1 and "net_null7" in out.stderr


def test_ready_comes_soon_and_tells_of_the_port(own):
    begin = time.monotonic()
    sluice = own()
    assert time.monotonic() - begin < (10 if w.HAS_SANITIZER else 3)
    said = "\n".join(sluice.lines)
    assert "net_af_packet0" in said
    assert any(line.startswith("sluice: ready") for line in sluice.lines)
    # ready means that it answers
    w.connect(w.V4, 7).close()
    w.connect(w.V6, 7).close()
    sluice.stop_clean()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_drain_closes_idle_connections_and_lets_the_busy_end(own, signal_number):
    sluice = own()
    kept = w.connect(w.V4, 80)  # http, between requests
    kept.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    kept.recv(4096)
    sluice.process.send_signal(signal_number)
    begin = time.monotonic()
    assert sluice.process.wait(10) == 0
    assert time.monotonic() - begin < 6
    sluice.reader.join(5)
    assert "sluice: draining, 1 connections live, at most 2 s" in sluice.lines
    kept.close()
    assert "Sanitizer" not in sluice.said()


def test_what_is_left_at_the_deadline_is_reset(own):
    sluice = own(config=w.BASIC.replace("drain: 2s", "drain: 300ms"))
    # a client that never reads keeps chargen busy
    s = w.connect(w.V4, 19, SO_RCVBUF=4096)
    time.sleep(0.2)
    begin = time.monotonic()
    assert sluice.stop() == 0, sluice.said()
    assert time.monotonic() - begin < 3
    with pytest.raises(ConnectionResetError):
        while True:
            if not s.recv(1 << 16):
                raise AssertionError("a FIN, not a reset")


def test_a_second_signal_forces_the_end(own):
    sluice = own(config=w.BASIC.replace("drain: 2s", "drain: 30s"))
    s = w.connect(w.V4, 19, SO_RCVBUF=4096)
    time.sleep(0.2)
    sluice.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert sluice.process.poll() is None
    sluice.process.send_signal(signal.SIGTERM)
    assert sluice.process.wait(5) == 3
    s.close()


def test_while_draining_new_connections_are_refused(own):
    sluice = own(config=w.BASIC.replace("drain: 2s", "drain: 5s"))
    s = w.connect(w.V4, 19, SO_RCVBUF=4096)
    time.sleep(0.2)
    sluice.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    with pytest.raises(OSError):
        w.connect(w.V4, 7, timeout=1)
    s.close()
    assert sluice.process.wait(10) == 0


def test_statistics_come_every_period(own):
    sluice = own(options=("--stats-period", "1"))
    time.sleep(2.5)
    w.connect(w.V4, 7).close()
    after = sluice.lines.index(next(x for x in sluice.lines if x.startswith("sluice: ready")))
    assert len(sluice.lines) - after - 1 >= 2, sluice.lines
    sluice.stop_clean()


def test_telemetry_tells_what_the_readme_says(own):
    sluice = own()
    with w.connect(w.V4, 7) as s:
        s.sendall(b"x")
        s.recv(1)
        stats = sluice.stats()
        for key in """rx tx syn synack cookie_sent cookie_ok cookie_bad opened_passive opened_active
                closed reset_in reset_out retransmit live time_wait half_open mis_steered""".split():
            assert key in stats
        assert stats["live"] == 1
        page = str(sluice.ask("/sluice/connections,0"))
        assert "10.77.0.2" in page and "ESTABLISHED" in page
        with contextlib.ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(w.connect(w.V4, 7))
            sluice.settled("live", 101)
            pages = [sluice.ask("/sluice/connections")]
            while pages[-1]["next"] != 0:
                assert len(pages) < 20
                pages.append(sluice.ask(f"/sluice/connections,{pages[-1]['next']}"))
            assert all(p["connections"] for p in pages[:-1])
            ends = [c["remote"] for p in pages for c in p["connections"].values()]
            assert len(ends) == len(set(ends)) == 101
        sluice.settled("live", 1)
        assert sluice.ask("/sluice/workers")
        assert "echo" in str(sluice.ask("/sluice/listeners"))
    sluice.settled("live")
    sluice.stop_clean()


def test_a_capture_holds_the_handshake(own, tmp_path):
    pcap = tmp_path / "c.pcap"
    sluice = own(options=("--capture", str(pcap)))
    with w.connect(w.V4, 7) as s:
        s.shutdown(socket.SHUT_WR)
        w.read_all(s)
    sluice.settled("live")
    sluice.stop_clean()
    from scapy.all import TCP, rdpcap  # noqa: slow to import
    flags = [str(p[TCP].flags) for p in rdpcap(str(pcap)) if TCP in p]
    assert flags[:3] == ["S", "SA", "A"]


def test_a_restarted_daemon_is_reached_at_once(own):
    for _ in range(3):
        sluice = own()
        for address in w.V4, w.V6:
            with w.connect(address, 7) as s:
                s.sendall(b"x")
                assert s.recv(1) == b"x"
        sluice.settled("live")
        sluice.stop_clean()
