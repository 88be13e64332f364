# SPDX-License-Identifier: BSD-3-Clause
"""host - the machine a measurement runs on: its build, its huge pages, its name."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build-perf")
RESULTS = os.path.join(ROOT, "perf", "results")
PAGES = "/sys/kernel/mm/hugepages/hugepages-2048kB/"


def words(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


class Pages:
    """Huge pages for as long as it takes, given back in the end; none without root."""

    def __init__(self):
        self.added = 0

    def _number(self, name):
        return int(words(PAGES + name) or 0)

    def _set(self, n):
        try:
            with open(PAGES + "nr_hugepages", "w") as f:
                f.write(str(n))
        except OSError:
            pass

    def have(self, megabytes):
        want = megabytes // 2 + 16
        missing = want - self._number("free_hugepages")
        if missing > 0:
            before = self._number("nr_hugepages")
            self._set(before + missing)
            self.added += self._number("nr_hugepages") - before
        return self._number("free_hugepages") >= want

    def give_back(self):
        if self.added > 0:
            self._set(max(0, self._number("nr_hugepages") - self.added))
        self.added = 0


def available_mb():
    """What can be had, free huge pages included, which MemAvailable leaves out."""
    m = re.search(r"MemAvailable: *(\d+) kB", words("/proc/meminfo"))
    pages = int(words(PAGES + "free_hugepages") or 0)
    return (int(m[1]) // 1024 if m else 0) + 2 * pages


def set_up():
    """Root gets what is missing installed; others, and those without a network, are told."""
    done = subprocess.run([os.path.join(ROOT, "config", "setup"), "--perf"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        print("not all is there:", (done.stderr + done.stdout).strip().splitlines()[-1])


def is_built(directory, targets):
    """Whether ninja, asked what it would do, has nothing to."""
    done = subprocess.run(["ninja", "-n", "-C", directory, *targets], capture_output=True, text=True)
    return "no work to do" in done.stdout


def build(directory=BUILD, targets=("perf/bench",), env=None, options=()):
    if not is_built(directory, targets):
        print(f"building in {os.path.relpath(directory, ROOT)}, which takes minutes the first time ...",
              file=sys.stderr, flush=True)
    if not os.path.exists(os.path.join(directory, "build.ninja")):
        subprocess.run(["meson", "setup", directory, ROOT, "-Dbuildtype=release", *options],
                       check=True, stdout=subprocess.DEVNULL, env=env)
    done = subprocess.run(["ninja", "-C", directory, *targets], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout)


def first_in_line():
    """Before exec: ahead of what else the machine does. As root only."""
    try:
        os.nice(-20)
    except OSError:
        pass


def kind():
    """What tells CPUs of one design from those of another: vendor, family, model, stepping."""
    about = dict(re.findall(r"(.*?)\s*: (.*)", words("/proc/cpuinfo")))
    return " ".join(about.get(key, "?") for key in ("vendor_id", "cpu family", "model", "stepping"))


def machine():
    m = re.search(r"model name\s*: (.*)", words("/proc/cpuinfo"))
    return {
        "cpu": m[1] if m else "?",
        "cpus": os.cpu_count(),
        "kind": kind(),
        "cpu_mhz": float((re.search(r"cpu MHz\s*: (.*)", words("/proc/cpuinfo")) or [0, 0])[1]),
        "memory_mb": int(re.search(r"MemTotal: *(\d+)", words("/proc/meminfo"))[1]) // 1024,
        "kernel": os.uname().release,
        "load": os.getloadavg()[0],
    }


def commit():
    def git(*args):
        return subprocess.run(["git", "-C", ROOT, *args], capture_output=True,
                              text=True).stdout.strip()
    # what runs write into the tree is no change of what they measure
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!perf/results",
                  ":!perf/guard.json")
    return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")
