"""From one version to another and back, and off the machine."""

from __future__ import annotations

from contextlib import suppress

from tests.proof import expect
from tests.vm.machine import Machine
from tests.vm.packages import BROKEN, NEXT
from tests.vm.service import CONFIG, STATE, Service

PACKAGES = "/opt/packages"
REFUSED, ROLLED_BACK = 11, 12
"""Exit codes, as docs/exit-codes.md has them."""

OWN_LINE = "# a line of the owner's own"


def upgraded(service: Service) -> str:
    """An upgrade restarts into the new version and keeps settings and token"""
    service.wait_until_well("the check before")
    service.machine.must(f"echo '{OWN_LINE}' >>{CONFIG}")
    began = service.machine.uptime_s()
    _update(service, "next.deb")
    expect(_version(service) == NEXT, f"installed is {_version(service)}")
    service.wait_until_well("the upgrade")
    expect(OWN_LINE in service.machine.must(f"cat {CONFIG}"), "the settings were replaced")
    expect(service.status(), "the token opens nothing any more")
    return f"{NEXT}, well again after {service.machine.uptime_s() - began:.0f} s"


def broken_upgrade_taken_back(service: Service) -> str:
    """An upgrade that does not start is rolled back"""
    service.wait_until_well("the check before")
    began = service.machine.uptime_s()
    done = service.machine.run(_command("broken.deb", "--within 60"))
    expect(done.code == ROLLED_BACK, f"{BROKEN}: exit code {done.code}: {done.text[-300:]}")
    expect(_version(service) == NEXT, f"installed is {_version(service)}: {done.text[-300:]}")
    service.wait_until_well("the rollback")
    last = done.text.splitlines()[-1]
    return f"exit code {done.code} after {service.machine.uptime_s() - began:.0f} s: {last}"


def power_cut(service: Service) -> str:
    """Power lost while dpkg unpacks an update leaves one whole version, running"""
    service.wait_until_well("the check before")
    machine, before = service.machine, _version(service)
    boot = machine.must("cat /proc/sys/kernel/random/boot_id")
    machine.must(f"setsid {_command('broken.deb')} >/dev/null 2>&1 </dev/null &")
    machine.until(
        lambda: machine.run("pgrep --exact dpkg-deb").code == 0, "dpkg unpacks", within_s=300
    )
    cut_power(machine)
    machine.until(
        lambda: machine.must("cat /proc/sys/kernel/random/boot_id") != boot, "up", within_s=300
    )
    machine.must("systemctl start --no-block multi-user.target")
    service.wait_until_well("the power came back")
    expect(_version(service) == before, f"installed is {_version(service)}, before {before}")
    changed = machine.run("dpkg --verify edge-runtime").text
    broken = [line for line in changed.splitlines() if " c /etc/" not in line]
    expect(not broken, f"files are not the package's: {broken[:3]}")
    journal = machine.must("journalctl --unit=edge-runtime-update --output=cat --no-pager --boot")
    expect(journal, "nobody told that an update was cut short")
    return f"{before} runs: {journal.splitlines()[-1]}"


def cut_power(machine: Machine) -> None:
    """At once, with nothing written out; the answer never comes."""
    with suppress(OSError):
        machine.run("echo b >/proc/sysrq-trigger", timeout_s=60)


def downgraded(service: Service) -> str:
    """A downgrade is refused unless asked for, then done"""
    service.wait_until_well("the check before")
    refused = service.machine.run(_command("current.deb"))
    expect(refused.code == REFUSED, f"not asked for, and exit code {refused.code}")
    expect(_version(service) == NEXT, f"refused, and yet installed is {_version(service)}")
    _update(service, "current.deb", "--allow-downgrade")
    version = _version(service)
    expect(version != NEXT, f"still {version}")
    service.wait_until_well("the downgrade")
    return f"{NEXT} -> {version}; refused before: {refused.text.splitlines()[-1]}"


def purged(service: Service) -> str:
    """Purge leaves nothing behind but the user"""
    service.machine.must("DEBIAN_FRONTEND=noninteractive dpkg --purge edge-runtime")
    left = service.machine.must(
        f"ls -d /usr/lib/edge-runtime /usr/bin/edge-runtime {STATE} {STATE}-update "
        "/etc/edge-runtime 2>/dev/null; find /usr/lib/systemd /etc/systemd -name 'edge-runtime*'"
    )
    expect(not left, f"left behind: {left}")
    running = service.machine.run("pgrep --list-full --full /usr/bin/edge-runtime")
    expect(running.code == 1, f"still running: {running.text}")
    known = service.machine.must("id --name --user edge-runtime")
    return f"no files, no process; the user {known} stays"


def _update(service: Service, deb: str, *options: str) -> None:
    service.machine.must(_command(deb, *options))


def _command(deb: str, *options: str) -> str:
    return " ".join(["edge-runtime", "update", f"{PACKAGES}/{deb}", *options])


def _version(service: Service) -> str:
    return service.machine.must("dpkg-query --show --showformat='${Version}' edge-runtime")
