# SPDX-License-Identifier: BSD-3-Clause
"""conftest - worlds and daemons as fixtures. `sluice` is shared by the tests of a file, and at
the file's end it must stop well: exit code 0, which says that every buffer came back."""
import os
import shutil

import pytest

import world as w


def pytest_configure(config):
    config.addinivalue_line("markers", "heavy: too long for a build with sanitizers")
    config.addinivalue_line("markers", "needs(tool...): skipped where a tool is missing")


def pytest_collection_modifyitems(items):
    """What the host cannot do is skipped, by name."""
    why = None
    if os.geteuid() != 0:
        why = "network namespaces need root"
    elif not w.SLUICE.exists():
        why = f"{w.SLUICE} is not built"
    if why:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(autouse=True)
def tools(request):
    """@pytest.mark.needs('wrk') skips where there is no wrk."""
    for mark in request.node.iter_markers("needs"):
        for tool in mark.args:
            if shutil.which(tool) is None:
                pytest.skip(f"no {tool} on this host")


@pytest.fixture(scope="module")
def net():
    """A namespace with a veth pair, for the tests of a file."""
    with w.World() as world:
        world.veth()
        yield world


@pytest.fixture(scope="module")
def sluice(net, tmp_path_factory):
    """The daemon with every application, for the tests of a file."""
    daemon = w.Sluice(net, tmp_path_factory.mktemp("sluice"))
    yield daemon
    daemon.settled("live", 0, 10)
    daemon.stop_clean()


@pytest.fixture
def own(tmp_path):
    """A world of a test's own: own(config=..., workers=2) gives a daemon in it."""
    with w.World() as world:
        made = []

        def make(veth=True, **kwargs):
            if veth and not made:
                world.veth()
            daemon = w.Sluice(world, tmp_path, **kwargs)
            made.append(daemon)
            return daemon
        make.world = world
        yield make
        for daemon in made:
            if daemon.process.poll() is None:
                daemon.stop()


@pytest.fixture(params=[w.V4, w.V6], ids=["ipv4", "ipv6"])
def address(request):
    return request.param
