#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""check - what STYLE and DESIGN ask of every file and a machine can see. Prints TAP.

    check.py SOURCE-TREE [libsluice-core.a]

Each check yields the lines that break it; the test of that name fails if there are any.
"""
import os
import re
import shutil
import subprocess
import sys

ROOT = sys.argv[1]
ARCHIVE = sys.argv[2] if len(sys.argv) > 2 else None


def tracked(*ends):
    """Files of the tree, build directories left out, whose names end so."""
    for where, dirs, files in os.walk(ROOT):
        dirs[:] = sorted(d for d in dirs if d != ".git" and not d.startswith("build")
                         and d not in ("__pycache__", ".pytest_cache", ".cache"))
        for name in sorted(files):
            path = os.path.relpath(os.path.join(where, name), ROOT)
            if name == ".git":
                continue
            if not ends or name.endswith(ends):
                yield path


def read(path):
    with open(os.path.join(ROOT, path), errors="replace") as f:
        return f.read()


def lines(path):
    return enumerate(read(path).splitlines(), 1)


def without_comments(text):
    """C with comments and the insides of strings blanked; lines stay where they are."""
    def blank(m):
        s = m.group(0)
        return s if s[0] == '"' and "\n" in s else re.sub(r"[^\n]", " ", s)
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def layers():
    """The layers' names, lowest first, from the one place that lists them."""
    m = re.search(r"^layers = \[(.*?)\]", read("lib/meson.build"), re.M | re.S)
    return re.findall(r"'(\w+)'", m.group(1))


# The public headers stand between the layers: what a file that includes them must be above.
PUBLIC = {"app.h": "tcp", "core.h": "core", "engine.h": "engine"}


def layer_of(path, order):
    part = path.split("/")
    if part[1] == "sluice":
        # a public header may say what its own layer says
        return order.index({"app.h": "core", "core.h": "core", "engine.h": "engine"}[part[2]])
    return order.index(part[1])


def an_include_points_only_to_a_lower_layer():
    order = layers()
    for path in tracked(".c", ".h"):
        if not path.startswith("lib/") or path.count("/") != 2:
            continue
        own = layer_of(path, order)
        for n, line in lines(path):
            m = re.match(r'\s*#\s*include\s+["<](\w+)/([\w.]+)[">]', line)
            if not m or (m[1] not in order and m[1] != "sluice"):
                continue
            target = PUBLIC.get(m[2], "engine") if m[1] == "sluice" else m[1]
            if order.index(target) > own:
                yield f"{path}:{n}: {line.strip()}: {target} is above {order[own]}"


def l7_knows_only_the_applications_interface():
    for path in tracked(".c", ".h"):
        if not path.startswith("lib/l7/"):
            continue
        for n, line in lines(path):
            m = re.match(r'\s*#\s*include\s+["<](\w+)/([\w.]+)[">]', line)
            if m and not (m[1] in ("l7", "base") or (m[1], m[2]) == ("sluice", "app.h")):
                if m[1] in layers() or m[1] == "sluice":
                    yield f"{path}:{n}: {line.strip()}"


# Ports, queues, lcores, EAL, the TSC, clocks, randomness: lib/engine and app alone.
OUTSIDE = re.compile(
    r"\b(rte_eth_\w+|rte_eal_\w+|rte_lcore\w*|rte_(?:get_)?(?:rdtsc|tsc|timer)\w*|rte_delay_\w+"
    r"|rte_telemetry_\w+|rte_malloc\w*|rte_zmalloc\w*|rte_memzone_\w+|rte_rand\w*|rte_pdump\w*"
    r"|clock_gettime|gettimeofday|getrandom|srand|rand|random|time|usleep|nanosleep)\s*\("
    r"|#\s*include\s*<rte_(?:eal|ethdev|lcore|cycles|launch|malloc|memzone|random|telemetry|pdump)\.h>")
HEAP = re.compile(r"\b(malloc|calloc|realloc|free|strdup|posix_memalign|aligned_alloc)\s*\(")


def machine():
    """Files of the deterministic machine: every layer below the engine."""
    order = layers()
    below = order[:order.index("engine")]
    return [p for p in tracked(".c", ".h") if p.startswith("lib/") and p.split("/")[1] in below]


def eal_clocks_and_randomness_stay_in_the_engine():
    for path in machine() + [p for p in tracked(".c", ".h") if p.startswith("lib/conf/")]:
        for n, line in enumerate(without_comments(read(path)).splitlines(), 1):
            m = OUTSIDE.search(line)
            if m:
                yield f"{path}:{n}: {m.group(0).strip()}"


def nothing_below_the_engine_allocates():
    for path in machine():
        for n, line in enumerate(without_comments(read(path)).splitlines(), 1):
            m = HEAP.search(line)
            if m:
                yield f"{path}:{n}: {m.group(0).strip()}"


def nothing_below_the_engine_keeps_mutable_statics():
    """Asked of the linker: objects in .data or .bss of the machine's archive."""
    if ARCHIVE is None:
        return
    out = subprocess.run(["objdump", "-t", ARCHIVE], capture_output=True, text=True, check=True)
    for line in out.stdout.splitlines():
        m = re.match(r"[0-9a-f]+ \S*\s+O (\.t?data|\.t?bss)(\.\S*)?\s+[0-9a-f]+\s+(\S+)", line)
        if m and not (m[2] or "").startswith(".rel.ro"):
            yield f"{m[3]} in {m[1]}"


def every_source_says_its_licence():
    for path in tracked(".c", ".h", ".py", "meson.build"):
        head = "".join(read(path).splitlines(True)[:3])
        if "SPDX-License-Identifier: BSD-3-Clause" not in head:
            yield path


def every_c_file_opens_by_saying_what_it_is_for():
    for path in tracked(".c", ".h"):
        if not re.match(r"/\* SPDX[^\n]*\*/\n/\*(\n \*)? [\w<]", read(path)):
            yield path


def nothing_is_left_to_be_done():
    for path in tracked(".c", ".h", ".py", ".build", ".md", ".yaml"):
        for n, line in lines(path):
            if re.search(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b", line):
                yield f"{path}:{n}: {line.strip()}"


def no_path_of_somebodys_machine():
    for path in tracked():
        if path.endswith((".png", ".pcap")):
            continue
        for n, line in lines(path):
            if re.search(r"(?<![\w.])/(home|work|Users)/\w", line) or "/tmp/" + "wt" in line:
                yield f"{path}:{n}: {line.strip()[:80]}"


def layout_is_what_clang_format_makes_it():
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        raise LookupError("no clang-format here")
    files = [p for p in tracked(".c", ".h")]
    out = subprocess.run([tool, "--dry-run", *files], cwd=ROOT, capture_output=True, text=True)
    seen = set()
    for m in re.finditer(r"^([^\s:]+):(\d+):\d+: ", out.stderr, re.M):
        if m[1] not in seen:
            seen.add(m[1])
            yield f"{m[1]}:{m[2]}: clang-format -i {m[1]}"


def shell_scripts():
    for path in tracked():
        if re.match(r"#!/bin/(ba)?sh\b", read(path)[:20]):
            yield path


def shell_scripts_are_sound():
    tool = shutil.which("shellcheck")
    for path in shell_scripts():
        full = os.path.join(ROOT, path)
        for cmd in [["bash", "-n", full]] + ([[tool, full]] if tool else []):
            out = subprocess.run(cmd, capture_output=True, text=True)
            if out.returncode:
                yield f"{path}: {(out.stdout + out.stderr).strip().splitlines()[0:3]}"


CHECKS = [
    an_include_points_only_to_a_lower_layer,
    l7_knows_only_the_applications_interface,
    eal_clocks_and_randomness_stay_in_the_engine,
    nothing_below_the_engine_allocates,
    nothing_below_the_engine_keeps_mutable_statics,
    every_source_says_its_licence,
    every_c_file_opens_by_saying_what_it_is_for,
    nothing_is_left_to_be_done,
    no_path_of_somebodys_machine,
    layout_is_what_clang_format_makes_it,
    shell_scripts_are_sound,
]


def main():
    print(f"1..{len(CHECKS)}")
    bad = False
    for i, check in enumerate(CHECKS, 1):
        try:
            broken = list(check())
        except LookupError as why:
            print(f"ok {i} - {check.__name__} # SKIP {why}")
            continue
        bad |= bool(broken)
        for line in broken:
            print("#", line)
        print(f"{'not ok' if broken else 'ok'} {i} - {check.__name__}")
    sys.exit(bad)


main()
