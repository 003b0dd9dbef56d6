"""From the package to frames: what has to be so when nothing is wrong."""

from __future__ import annotations

import re

from tests.proof import expect
from tests.vm.service import DEMO, UNIT, Service

LONGEST_START_S = 60
HIGHEST_EXPOSURE = 1.5
QUIET_S = 60
"""Ten minutes are measured on x86 (docs/service.md); here it is another file system and kernel."""


def boots(service: Service) -> str:
    """Debian boots"""
    machine = service.machine
    machine.until(lambda: machine.run("true").code == 0, "the agent answers", within_s=300)
    state = machine.until(
        lambda: machine.run("systemctl is-system-running").text in ("running", "degraded"),
        "all units started",
        within_s=300,
    )
    expect(state, "never finished")
    failed = machine.must("systemctl --failed --no-legend --plain | cut -d' ' -f1 | xargs")
    system = machine.must(". /etc/os-release; echo $PRETTY_NAME; uname -rm")
    return f"{system}, {machine.uptime_s():.0f} s" + (f"; failed: {failed}" if failed else "")


def installed(service: Service) -> str:
    """dpkg installed the package, with its user, its compiled code and its unit"""
    machine = service.machine
    status = "dpkg-query --show --showformat='${Status}|${Version}' edge-runtime"
    state, _, version = machine.must(status).partition("|")
    expect(state == "install ok installed", f"dpkg says {state}")
    groups = machine.must("id --name --groups edge-runtime").split()
    expect("video" in groups, f"the user's groups are {groups}")
    compiled = "/usr/lib/edge-runtime/py3.*/edge_runtime/__pycache__/__init__.cpython-3*.pyc"
    machine.must(f"ls {compiled}")
    said = machine.must("edge-runtime --version")
    expect(version.partition("-")[0] in said, f"dpkg says {version}, the program {said}")
    return f"{version}; groups {' '.join(groups)}"


def ready_in_time(service: Service) -> str:
    """systemctl start is done within 60 s"""
    service.configure(source=DEMO)
    service.machine.must(f"systemctl start {UNIT}")
    took = service.seconds_between("InactiveExit", "ActiveEnter")
    expect(took < LONGEST_START_S, f"{took:.1f} s")
    return f"first frame through after {took:.1f} s; {service.show('StatusText')['StatusText']}"


def page_with_token(service: Service) -> str:
    """The page and the API answer from outside with the token"""
    service.wait_until_well("the start")
    machine = service.machine
    page = machine.get("/", service.token)
    expect(page.status == 200 and b"<html" in page.body, f"the page answered {page.status}")
    picture = machine.get("/api/v1/snapshot.jpg", service.token)
    is_jpeg = picture.body.startswith(b"\xff\xd8")
    expect(picture.status == 200 and is_jpeg, f"the snapshot answered {picture.status}")
    metrics = machine.get("/metrics", service.token)
    expect(b"edge_runtime" in metrics.body, f"/metrics answered {metrics.status}")
    sentence = service.status()["state"]["sentence"]
    return f"page, status, metrics, a snapshot of {len(picture.body):,} bytes; {sentence}"


def refused_without_token(service: Service) -> str:
    """Without a token, or with a wrong one, nothing is told"""
    closed = ("/api/v1/status", "/api/v1/snapshot.jpg", "/api/v1/models", "/metrics")
    for path in closed:
        status = service.machine.get(path).status
        expect(status == 401, f"{path} answered {status} without a token")
    wrong = service.machine.get("/api/v1/status", "ert_" + "0" * 32).status
    expect(wrong == 401, f"/api/v1/status answered {wrong} to a wrong token")
    return f"401 for {', '.join(closed)}"


def hardened(service: Service) -> str:
    """systemd-analyze security gives at most 1.5"""
    said = service.machine.must(f"systemd-analyze security --no-pager {UNIT} | tail -1")
    found = re.search(r"exposure level for \S+: ([\d.]+)", said)
    expect(found, f"systemd-analyze said {said}")
    assert found is not None
    expect(float(found[1]) <= HIGHEST_EXPOSURE, f"exposure {found[1]}")
    return found[1]


def writes_nothing(service: Service) -> str:
    """In steady state nothing is written to the disk"""
    service.wait_until_well("the check before")
    service.frames_go_on("the start")
    before, began = _written(service), service.machine.uptime_s()
    service.machine.must(f"sleep {QUIET_S}", timeout_s=3600)
    after = _written(service)
    expect(before.keys() == after.keys(), f"processes came or went: {before} {after}")
    grown = {pid: after[pid] - before[pid] for pid in before if after[pid] != before[pid]}
    expect(not grown, f"bytes written by process: {grown}")
    service.frames_go_on("the quiet time")
    took = service.machine.uptime_s() - began
    return f"0 bytes in {took:.0f} s by {len(after)} processes"


def _written(service: Service) -> dict[str, int]:
    """``write_bytes`` of every process of the unit."""
    group = f"/sys/fs/cgroup{service.show('ControlGroup')['ControlGroup']}/cgroup.procs"
    text = service.machine.must(
        f"for p in $(cat {group}); do echo $p $(grep ^write_bytes /proc/$p/io); done"
    )
    rows = [line.split() for line in text.splitlines()]
    expect(rows, "the unit has no processes")
    return {row[0]: int(row[2]) for row in rows}


def settles(service: Service) -> str:
    """It is enabled, so that it starts with the system"""
    enabled = service.machine.must(f"systemctl is-enabled {UNIT}")
    expect(enabled == "enabled", enabled)
    wants = service.machine.must("systemctl show multi-user.target --property=Wants --value")
    expect(UNIT in wants.split(), f"multi-user.target wants {wants}")
    return f"{enabled}, wanted by multi-user.target"
