# SPDX-License-Identifier: BSD-3-Clause
"""The scripts of config/ on made-up hosts: a directory stands for / and says what is there."""
import json
import os
import pathlib
import re
import runpy
import socket
import subprocess
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"


def run(script, *args, **kwargs):
    return subprocess.run([CONFIG / script, *map(str, args)], capture_output=True, text=True,
                          timeout=60, **kwargs)


def put(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def host(tmp_path):
    """A host with two CPUs, one pool of pages, no NUMA, no IOMMU."""
    cpu = "processor\t: {}\nflags\t\t: fpu sse4_2 avx2\n"
    put(tmp_path / "proc/cpuinfo", "".join(cpu.format(i) for i in range(2)))
    put(tmp_path / "proc/meminfo", "MemTotal: 4000000 kB\nMemAvailable: 2048000 kB\n")
    put(tmp_path / "proc/mounts", "proc /proc proc rw 0 0\n")
    pool(tmp_path, "sys/kernel/mm/hugepages", 0)
    return tmp_path


def pool(host, where, pages):
    for name in ("nr_hugepages", "free_hugepages"):
        put(host / where / "hugepages-2048kB" / name, f"{pages}\n")


def numa(host, nodes):
    for i, pages in enumerate(nodes):
        pool(host, f"sys/devices/system/node/node{i}/hugepages", pages)


def interface(host, name, mtu=1500, flags="0x1003"):
    put(host / "sys/class/net" / name / "mtu", f"{mtu}\n")
    put(host / "sys/class/net" / name / "flags", f"{flags}\n")


def doctor(host, *eal):
    out = run("doctor", "--root", host, *(["--", *eal] if eal else []))
    assert out.stderr == ""
    assert out.returncode == (1 if "BAD" in out.stdout else 0)
    return out.stdout


def test_doctor_lets_a_plain_host_pass(host):
    out = doctor(host)
    assert "ok    CPU: 2, up to AVX2" in out
    assert "note  no huge pages are free" in out
    assert out.endswith("nothing in the way\n")


def test_doctor_knows_that_no_huge_and_in_memory_exclude_each_other(host):
    assert "--no-huge and --in-memory cannot be combined" in doctor(
        host, "-l", "0", "--no-huge", "--in-memory", "-m", "64")


def test_doctor_misses_pages_that_the_arguments_need(host):
    out = doctor(host, "-l", "0", "--in-memory")
    assert "BAD   no huge pages are free" in out
    assert "hugepages set 512" in out


def test_doctor_wants_hugetlbfs_only_where_files_are_used(host):
    pool(host, "sys/kernel/mm/hugepages", 512)
    assert "hugetlbfs is not mounted" in doctor(host, "-l", "0")
    assert "BAD" not in doctor(host, "-l", "0", "--in-memory")
    put(host / "proc/mounts", "hugetlbfs /dev/hugepages hugetlbfs rw 0 0\n")
    assert "BAD" not in doctor(host, "-l", "0")


@pytest.mark.parametrize("args, there", [
    (["--no-huge", "-m", "1024"], "ok    memory: 1024 MiB wanted, 2000 MiB there"),
    (["--no-huge", "-m", "2001"], "BAD   memory: 2001 MiB wanted, 2000 MiB there"),
    (["--no-huge"], "note  --no-huge without -m gives 64 MiB"),
])
def test_doctor_compares_memory_wanted_and_there(host, args, there):
    assert there in doctor(host, "-l", "0", *args)


@pytest.mark.parametrize("args", [
    "-l 0", "-l 1", "-l 0-1", "-l 0,1", "-l1", "-c 3", "-c 0x2", "-c1", "-c 0X00000000000000000003",
    "--lcores 0-1", "--lcores=0,1", "--lcores (0-7)@(0-1)", "--lcores 0@1,(8,9)@0-1,1",
])
def test_doctor_takes_cores_that_are_there(host, args):
    assert "BAD" not in doctor(host, *args.split(), "--no-huge", "-m", "64")


SHARE = "or, so that several share a CPU: --lcores '(0-7)@(0-1)'"


@pytest.mark.parametrize("args, says, fixes", [
    ("-l 7", "there is no CPU 7; this host has 0-1", ["-l 0"]),
    ("-l 0,2", "there is no CPU 2; this host has 0-1", ["-l 0-1"]),
    ("-l 0-7", "8 workers, and this host has 2 CPUs", ["-l 0-1", SHARE]),
    ("-c 0x80", "there is no CPU 7; this host has 0-1", ["-l 0"]),
    ("-c 0xff", "8 workers, and this host has 2 CPUs", ["-l 0-1", SHARE]),
    ("--lcores 0@5", "there is no CPU 5; this host has 0-1", ["-l 0"]),
    ("--lcores 0,(3,4)@(0,9)", "3 workers, and this host has 2 CPUs",
     ["-l 0-1", SHARE.replace("7", "2")]),
    ("-l abc", "names no cores that EAL understands", ["-l 0-1"]),
    ("-l 0@1", "names no cores that EAL understands", ["-l 0-1"]),
    ("-l 1-0", "names no cores that EAL understands", ["-l 0-1"]),
    ("-c 0", "names no cores that EAL understands", ["-l 0-1"]),
    ("-c 0-1", "names no cores that EAL understands", ["-l 0-1"]),
    ("--lcores (0@1", "names no cores that EAL understands", ["-l 0-1"]),
])
def test_doctor_proposes_as_many_workers_as_were_asked_for(host, args, says, fixes):
    out = doctor(host, *args.split(), "--no-huge", "-m", "64")
    assert f"BAD   {args}: {says}\n" + "".join(f"      fix: {f}\n" for f in fixes) in out


@pytest.mark.parametrize("args", ["-l 0 -c 1", "-l 0 --lcores=0", "-l 0 -l 1"])
def test_doctor_knows_that_eal_takes_cores_once(host, args):
    assert "EAL takes one of them, once" in doctor(host, *args.split(), "--no-huge", "-m", "64")


def test_doctor_misses_an_old_cpu_instruction(host):
    put(host / "proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu sse2\n")
    assert "BAD   CPU: no SSE4.2" in doctor(host)


def test_doctor_looks_for_the_interface_of_a_virtual_port(host):
    args = ["-l", "0", "--no-huge", "-m", "64", "--vdev", "net_af_packet0,iface=v0"]
    assert "there is no interface v0 here" in doctor(host, *args)
    interface(host, "v0")
    assert "BAD" not in doctor(host, *args)
    interface(host, "v0", flags="0x1002")
    assert "BAD   v0 is down" in doctor(host, *args)
    interface(host, "v0", mtu=9000)
    assert "cuts frames above 1982 bytes" in doctor(host, *args)
    assert "BAD" not in doctor(host, *args[:-1], "net_af_packet0,iface=v0,framesz=16384")


@pytest.mark.parametrize("vdev, named", [
    ("net_af_packet0", False), ("net_af_packet0,framesz=2048", False), ("net_af_xdp1,iface=", False),
    ("net_tap0", True), ("net_ring0", True),
])
def test_doctor_misses_the_interface_of_a_port_that_makes_none(host, vdev, named):
    out = doctor(host, "-l", "0", "--no-huge", "-m", "64", "--vdev", vdev)
    name = vdev.split(",")[0]
    assert ("BAD" not in out) == named
    assert (f"BAD   {name}: its interface is not named\n"
            f"      fix: --vdev {name},iface=INTERFACE\n" in out) != named


CARD = ["-l", "0", "--no-huge", "-m", "64", "-a", "0000:01:00.0"]


def test_doctor_wants_a_card_with_vfio(host):
    assert "0000:01:00.0: there is no such card" in doctor(host, *CARD)
    card(host, "0000:01:00.0")
    assert "no IOMMU, which vfio-pci needs for 0000:01:00.0\n" in doctor(host, *CARD)
    (host / "sys/kernel/iommu_groups/1").mkdir(parents=True)
    out = doctor(host, *CARD)
    assert "BAD   0000:01:00.0 is not with vfio-pci" in out and "bind take 0000:01:00.0" in out
    link = host / "sys/bus/pci/devices/0000:01:00.0/driver"
    link.unlink()
    link.symlink_to("../../drivers/vfio-pci")
    assert "BAD" not in doctor(host, *CARD)


def test_doctor_names_all_cards_that_need_an_iommu_in_one_line(host):
    card(host, "0000:01:00.0")
    card(host, "0000:02:00.0", driver="e1001")
    assert "for 0000:01:00.0, 0000:02:00.0\n" in doctor(host, *CARD, "-a", "02:00.0,mac=1")


def test_doctor_lets_nobody_take_what_is_no_network_card(host):
    card(host, "0000:01:00.0", pci_class="0xffff00")
    out = doctor(host, *CARD)
    assert "BAD   0000:01:00.0 is no network card: its class is 0xffff00\n" in out
    assert "bind take" not in out and "vfio-pci" not in out


def test_doctor_misses_a_port_that_the_configuration_names(host):
    out = run("doctor", "--root", host, "--config", CONFIG / "sluice.yaml", "--", "-l", "0",
              "--no-huge", "-m", "1024", "--vdev", "net_tap0,iface=t0")
    assert ("wants port net_af_packet0, which no EAL argument makes\n"
            "      fix: --vdev net_af_packet0,...\n") in out.stdout
    put(host / "routed.yaml", 'ports:\n  - device: "0000:01:00.0"\n')
    out = run("doctor", "--root", host, "--config", host / "routed.yaml", "--", "-l", "0")
    assert "EAL argument makes\n      fix: -a 0000:01:00.0\n" in out.stdout


def test_doctor_names_a_configuration_once_in_each_line(host):
    """With a daemon that stands in for the one that is built."""
    config = host / "small.yaml"
    put(config)
    said = f"{config}:2: one\n{config}: two\nthree"
    put(host / "build/app/sluice", f"#!/bin/bash\necho '{said}' >&2\nexit 2\n")
    (host / "build/app/sluice").chmod(0o755)
    put(host / "here/doctor", (CONFIG / "doctor").read_text())
    out = subprocess.run(["bash", host / "here/doctor", "--root", host, "--config", config],
                         capture_output=True, text=True, timeout=60)
    assert f"BAD   {config}:2: one\nBAD   {config}: two\nBAD   {config}: three\n" in out.stdout


def test_doctor_tells_a_missing_namespace_from_a_missing_interface(host):
    out = run("doctor", "--root", host, "--client", "c", "--netns", "sluice-nowhere")
    assert ("BAD   there is no network namespace sluice-nowhere\n"
            "      fix: ip netns list\n") in out.stdout
    assert "no such interface" not in out.stdout
    out = run("doctor", "--root", host, "--client", "sluice-nothing")
    assert "BAD   sluice-nothing: no such interface\n      fix: ip link\n" in out.stdout


@pytest.mark.skipif(not (CONFIG.parent / "build/app/sluice").exists(), reason="sluice is not built")
@pytest.mark.parametrize("memory, fits", [(["-m", "1024"], True), (["-m", "64"], False), ([], False)])
def test_doctor_compares_the_configuration_with_the_memory_eal_will_have(host, memory, fits):
    out = run("doctor", "--root", host, "--config", CONFIG / "sluice.yaml", "--", "-l", "0",
              "--no-huge", *memory, "--vdev", "net_af_packet0,iface=v0")
    assert ("config/sluice.yaml: accepted" in out.stdout) == fits
    assert ("does not fit: EAL has 64 MiB" in out.stdout) != fits


@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
def test_doctor_recognises_a_veth_client_that_leaves_checksums_unfinished():
    ns = f"sluice-doctor-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", ns], check=True)
    try:
        subprocess.run(["ip", "-n", ns, "link", "add", "c", "type", "veth", "peer", "p"],
                       check=True)

        def look():
            return run("doctor", "--client", "c", "--netns", ns)

        def ethtool(*args):
            subprocess.run(["ip", "netns", "exec", ns, "ethtool", "-K", "c", *args],
                           check=True, capture_output=True)
        out = look()
        assert out.returncode == 1
        assert "leaves TCP checksums to the device" in out.stdout
        assert f"fix: ip netns exec {ns} ethtool -K c tx off" in out.stdout
        ethtool("tx", "off", "tso", "off", "gso", "off")
        assert "ok    c: finishes its frames itself" in look().stdout
        ethtool("gso", "on")
        assert "frames larger than its MTU" in look().stdout
    finally:
        subprocess.run(["ip", "netns", "del", ns], check=True)


def test_hugepages_shows_sets_and_undoes_without_numa(host):
    nr = host / "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
    assert "all: 0 pages of 2048 kB" in run("hugepages", "--root", host, "show").stdout
    assert run("hugepages", "--root", host, "set", 64).returncode == 0
    assert run("hugepages", "--root", host, "set", 128).returncode == 0
    assert nr.read_text() == "128\n"
    assert run("hugepages", "--root", host, "undo").returncode == 0
    assert nr.read_text() == "0\n"
    again = run("hugepages", "--root", host, "undo")
    assert again.returncode == 1 and "nothing to undo" in again.stderr


def test_hugepages_tells_nodes_apart(host):
    numa(host, [4, 6])
    out = run("hugepages", "show", "--root", host).stdout
    assert "node0: 4 pages" in out and "node1: 6 pages" in out
    assert run("hugepages", "--root", host, "set", 32, "--node", 1).returncode == 0
    node = host / "sys/devices/system/node"
    assert (node / "node1/hugepages/hugepages-2048kB/nr_hugepages").read_text() == "32\n"
    assert (node / "node0/hugepages/hugepages-2048kB/nr_hugepages").read_text() == "4\n"
    assert run("hugepages", "--root", host, "undo").returncode == 0
    assert (node / "node1/hugepages/hugepages-2048kB/nr_hugepages").read_text() == "6\n"
    bad = run("hugepages", "--root", host, "set", 32, "--node", 7)
    assert bad.returncode == 1 and "no node 7" in bad.stderr


@pytest.mark.parametrize("args", [[], ["set"], ["set", "many"], ["show", "set"], ["frob"],
                                  ["set", "5", "--node"], ["set", "5", "--node", "x"]])
def test_hugepages_explains_itself(host, args):
    out = run("hugepages", "--root", host, *args)
    assert out.returncode == 2 and "config/hugepages show" in out.stderr


def card(host, address, driver="e1000", interface_name="eth7", pci_class="0x020000"):
    device = host / "sys/bus/pci/devices" / address
    put(device / "class", f"{pci_class}\n")
    put(device / "driver_override")
    (device / "net" / interface_name).mkdir(parents=True)
    put(host / "sys/bus/pci/drivers" / driver / "unbind")
    put(host / "sys/bus/pci/drivers/vfio-pci/bind")
    put(host / "sys/bus/pci/drivers_probe")
    (device / "driver").symlink_to(host / "sys/bus/pci/drivers" / driver)


def test_bind_shows_takes_and_returns_a_card(host):
    card(host, "0000:01:00.0")
    (host / "sys/kernel/iommu_groups/1").mkdir(parents=True)
    pci = host / "sys/bus/pci"
    assert "0000:01:00.0  driver e1000  interface eth7" in run(
        "bind", "--root", host, "show").stdout
    out = run("bind", "--root", host, "take", "0000:01:00.0")
    assert out.returncode == 0, out.stderr
    assert (pci / "drivers/e1000/unbind").read_text() == "0000:01:00.0\n"
    assert (pci / "drivers_probe").read_text() == "0000:01:00.0\n"
    assert (host / "run/sluice-bind/0000:01:00.0").read_text() == "e1000\n"
    out = run("bind", "--root", host, "return", "0000:01:00.0")
    assert out.returncode == 0 and "now with e1000" in out.stdout
    assert not (host / "run/sluice-bind/0000:01:00.0").exists()


def test_bind_refuses_without_an_iommu_or_a_card(host):
    card(host, "0000:01:00.0")
    out = run("bind", "--root", host, "take", "0000:01:00.0")
    assert out.returncode == 1 and "no IOMMU" in out.stderr
    out = run("bind", "--root", host, "take", "0000:09:00.0")
    assert out.returncode == 1 and "no such card" in out.stderr


def test_bind_takes_nothing_if_one_is_no_network_card(host):
    card(host, "0000:01:00.0")
    card(host, "0000:02:00.0", driver="virtio", pci_class="0xffff00")
    (host / "sys/kernel/iommu_groups/1").mkdir(parents=True)
    out = run("bind", "--root", host, "--force", "take", "0000:01:00.0", "0000:02:00.0")
    assert out.returncode == 1
    assert out.stderr == ("bind: 0000:02:00.0 is no network card (class 0xffff00); "
                          "config/bind show lists them\n")
    assert (host / "sys/bus/pci/drivers/e1000/unbind").read_text() == ""
    assert "0000:02:00.0" not in run("bind", "--root", host, "show").stdout


def test_setup_finds_nothing_missing_after_itself():
    assert run("setup", "--list").stdout == ""


JUNIT = """<testsuites><testsuite><testcase name="a"/><testcase name="b"><failure/></testcase>
<testcase name="c"><skipped/></testcase></testsuite></testsuites>"""


def tally(*args):
    return subprocess.run([ROOT / "tests/tally", *map(str, args)], capture_output=True, text=True)


def test_tally_counts_cases_and_failed_steps(tmp_path):
    put(tmp_path / "r.xml", JUNIT)
    tally("--collect", tmp_path, tmp_path / "r.xml", 1)
    tally("--collect", tmp_path, tmp_path / "nothing.xml", 3, "gone")
    tally("--fail", tmp_path, "build of x")
    out = tally("--print", tmp_path)
    assert out.returncode == 1
    assert out.stdout.endswith("1 skipped: this host cannot run them\n1 passed, 3 failed\n")
    assert "failed: gone: exit status 3\n" in out.stdout


def test_tally_names_a_program_that_ended_before_its_last_test(tmp_path):
    """What meson writes of a TAP program that a sanitizer ended: cases that passed, no more."""
    case = "<testcase classname='sluice.sluice:unit / unit-{}' name='1 - a'>{}</testcase>"
    put(tmp_path / "testlog.junit.xml", "<testsuites><testsuite>" + case.format("ends", "") +
        case.format("fails", "<failure/>") + "</testsuite></testsuites>")
    put(tmp_path / "testlog.json", "".join(
        f'{{"name": "sluice:unit / unit-{name}", "result": "{result}"}}\n'
        for name, result in (("ends", "ERROR"), ("fails", "FAIL"), ("good", "OK"))))
    tally("--collect", tmp_path, tmp_path / "testlog.junit.xml", "1")
    done = tally("--print", tmp_path)
    assert done.stdout.splitlines()[-1] == "1 passed, 2 failed"
    assert "unit-ends: ended before its last test" in done.stdout
    assert "unit-good" not in done.stdout


def test_tally_fails_when_nothing_ran(tmp_path):
    out = tally("--print", tmp_path)
    assert (out.returncode, out.stdout) == (1, "0 passed, 1 failed\n")


def commands(where, **scripts):
    """A directory of programs that stand in for the host's, to be first in PATH."""
    for name, text in scripts.items():
        path = where / "bin" / name.replace("_", "-")
        put(path, "#!/bin/bash\n" + text)
        path.chmod(0o755)
    return dict(os.environ, PATH=f"{where / 'bin'}:{os.environ['PATH']}")


INSTALLED = 'case ${@: -1} in meson|curl) exit 1;; *) echo "ii ";; esac'


@pytest.mark.skipif(os.geteuid() != 0, reason="setup installs as root alone")
@pytest.mark.parametrize("update", [0, 100])
def test_setup_installs_what_is_missing_and_asks_nothing(tmp_path, update):
    log = tmp_path / "log"
    env = commands(tmp_path, dpkg_query=INSTALLED, apt_get=f"""
echo "$DEBIAN_FRONTEND $*" >>{log}
[[ -x /usr/sbin/policy-rc.d ]] || echo "services would start" >>{log}
[[ $* != *update* ]] || exit {update}
""")
    policy = pathlib.Path("/usr/sbin/policy-rc.d").exists()
    out = run("setup", env=env)
    assert out.returncode == 0, out.stderr
    last = log.read_text().splitlines()[-1]
    assert last.startswith("noninteractive -y ") and last.endswith(" install meson curl")
    assert "--no-install-recommends" in last
    assert "services would start" not in log.read_text()
    assert pathlib.Path("/usr/sbin/policy-rc.d").exists() == policy


def test_setup_says_what_apt_said_when_it_fails(tmp_path):
    env = commands(tmp_path, dpkg_query=INSTALLED, apt_get="echo no network; exit 100",
                   id="echo 0")
    out = run("setup", env=env)
    assert out.returncode == 1 and "no network" in out.stderr


def test_setup_lists_what_is_missing(tmp_path):
    out = run("setup", "--list", env=commands(tmp_path, dpkg_query=INSTALLED))
    assert (out.returncode, out.stdout) == (1, "meson\ncurl\n")


def test_the_story_that_the_readme_tells_is_what_the_tool_prints():
    tool = ROOT / "build/tests/script/script-run"
    if not tool.exists():
        pytest.skip("it is not built")
    readme = (ROOT / "README.md").read_text()
    script, story = re.search(r"is\n`(tests/\S+)`, told by\n`build/\S+ --v4 --states FILE`.*?```\n(.*?)```",
                               readme, re.S).groups()
    assert run(tool, "--v4", "--states", ROOT / script).stdout == story


TABLE = {"/sluice/stats": '{"rx": 7, "tx": 8}',
         "/sluice/workers": '{"0": {"polls": 1}, "1": {"polls": 2}}',
         "/": '["/", "/sluice/stats"]'}


@pytest.fixture
def dpdk(tmp_path):
    """A telemetry socket as DPDK's, for one caller: TABLE, null to whatever else is asked."""
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(10)
        s.bind(path)
        s.listen()

        def answer():
            with s.accept()[0] as caller:
                caller.send(b'{"max_output_len": 1000}')
                command = caller.recv(1000).decode()
                caller.send(f'{{"{command}": {TABLE.get(command, "null")}}}'.encode())

        thread = threading.Thread(target=answer)
        thread.start()
        yield path
        thread.join()


def test_telemetry_prints_a_table_or_the_keys_asked_for(dpdk):
    out = run("telemetry", "--socket", dpdk, "/sluice/stats", "tx")
    assert (out.returncode, out.stdout.split()) == (0, ["tx", "8"])


@pytest.mark.parametrize("command, keys, says", [
    ("/sluice/stats", ["tx", "ty"], "/sluice/stats has no ty"),
    ("/sluice/workers", ["0", "polls"], "/sluice/workers has no polls"),
    ("/", ["0"], "/ has no 0"),
    ("/sluice/statistics", [], "no answer to /sluice/statistics; / lists the commands"),
    ("/sluice/statistics", ["rx"], "no answer to /sluice/statistics; / lists the commands"),
    ("/stats", [], "no answer to /stats; / lists the commands, and ours are as /sluice/stats"),
    ("stats", [], "no answer to stats; / lists the commands, and ours are as /sluice/stats"),
])
def test_telemetry_says_what_of_a_question_is_wrong(dpdk, command, keys, says):
    out = run("telemetry", "--socket", dpdk, command, *keys)
    assert (out.returncode, out.stdout, out.stderr) == (1, "", f"telemetry: {says}\n")


def test_telemetry_prints_of_what_is_nested_the_keys_asked_for(dpdk):
    out = run("telemetry", "--socket", dpdk, "/sluice/workers", "1")
    assert (out.returncode, json.loads(out.stdout)) == (0, {"1": {"polls": 2}})


def test_telemetry_knows_which_prefixes_there_are(tmp_path):
    put(tmp_path / "dpdk/rte/config")
    for prefix in ("try", "sluice-demo-7"):
        put(tmp_path / "dpdk" / prefix / "dpdk_telemetry.v2")
    telemetry = runpy.run_path(str(CONFIG / "telemetry"))
    assert telemetry["prefixes"](tmp_path) == ["sluice-demo-7", "try"]
    assert telemetry["prefixes"](tmp_path / "none") == []


def test_telemetry_needs_a_command_and_no_key():
    out = run("telemetry")
    assert out.returncode == 2 and out.stderr.endswith("required: command\n")


@pytest.mark.parametrize("script", ["tests/run", "tests/fuzz/run", "perf/reference",
                                    "tests/oot/run"])
def test_what_takes_long_does_not_begin_when_asked_for_help_or_mistyped(script):
    for odd in "--help", "--qiuck":
        out = run(ROOT / script, odd)
        assert (out.returncode, out.stdout) == (2, "") and f"{script} " in out.stderr


def test_the_examples_are_built_against_a_build_that_was_named():
    out = run(ROOT / "tests/oot/run")
    assert (out.returncode, out.stdout) == (2, "") and "tests/oot/run BUILD_DIR" in out.stderr


@pytest.mark.parametrize("script", ["tests/soak", "tests/mutate", "tests/coverage", "perf/run",
                                    "perf/linux", "perf/native", "perf/ahead"])
def test_what_takes_long_tells_its_use(script):
    out = run(ROOT / script, "--help")
    assert out.returncode == 0 and f"{script} " in out.stdout, out.stderr
