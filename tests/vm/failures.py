"""What goes wrong on a board, done to the running service, and what becomes of it."""

from __future__ import annotations

from tests.proof import expect
from tests.vm.service import PATIENCE_S, STATE, UNIT, Service

FILLER = f"{STATE}/filler"


def killed(service: Service) -> str:
    """After kill -9 it is back"""
    return _restarted(service, signal="KILL")


def hanging(service: Service) -> str:
    """A hang (SIGSTOP) ends by the watchdog, and it is back"""
    said = _restarted(service, signal="STOP")
    expect("atchdog timeout" in service.journal(), "the journal has no line about the watchdog")
    return said


def _restarted(service: Service, *, signal: str) -> str:
    service.wait_until_well("the check before")
    pid, restarts, began = service.pid(), service.restarts(), service.machine.uptime_s()
    service.machine.must(f"kill -{signal} {pid}")
    service.machine.until(
        lambda: service.restarts() > restarts and service.is_well(),
        f"started again and well after SIG{signal}",
        within_s=PATIENCE_S,
    )
    expect(service.pid() not in (0, pid), f"still process {pid}")
    return f"well again {service.machine.uptime_s() - began:.0f} s later, as a new process"


def out_of_memory(service: Service) -> str:
    """A process that eats all memory is ended, the service is not"""
    service.wait_until_well("the check before")
    pid = service.pid()
    hog = "python3 -c 'b = []\nwhile True: b.append(bytearray(b\"x\" * (32 << 20)))'"
    done = service.machine.run(f"sh -c 'echo 900 >/proc/self/oom_score_adj; exec \"$@\"' - {hog}")
    expect(done.code == 137, f"the hog ended with {done.code}, not killed: {done.text[-200:]}")
    service.wait_until_well("the memory was full")
    expect(service.pid() == pid, "the service was ended, too")
    used = int(service.show("MemoryCurrent")["MemoryCurrent"]) >> 20
    return f"same process, {used} MiB in its control group"


def own_memory_limit(service: Service) -> str:
    """It may not take more than its share of the memory"""
    limit = int(service.show("EffectiveMemoryMax", "MemoryMax")["MemoryMax"]) >> 20
    total = int(service.machine.must("awk '/MemTotal/ {print $2}' /proc/meminfo")) >> 10
    expect(limit <= total * 0.61, f"MemoryMax is {limit} MiB of {total}")
    return f"MemoryMax is {limit} of {total} MiB"


def full_disk(service: Service) -> str:
    """With a full disk frames go on, and a start succeeds"""
    service.wait_until_well("the check before")
    service.machine.run(
        f"fallocate --length $(($(df --output=avail --block-size=1 {STATE} | tail -1) - 4194304)) "
        f"{FILLER}; dd if=/dev/zero bs=64K >>{FILLER}; sync"
    )
    try:
        free = service.machine.must(f"df --output=avail {STATE} | tail -1")
        expect(int(free) == 0, f"{free} KiB are still free")
        service.frames_go_on("the disk was full")
        service.restart(after="the disk was full")
    finally:
        service.machine.must(f"rm -f {FILLER}")
    return "0 KiB free: frames went on, a restart was well"


def bad_settings(service: Service) -> str:
    """A reload with a bad file fails with a sentence and changes nothing"""
    service.wait_until_well("the check before")
    pid = service.pid()
    good = service.machine.must("cat /etc/edge-runtime/config.toml")
    service.write_config(good + "\n[detector]\nthreshold = 7\n")
    try:
        done = service.machine.run(f"systemctl reload {UNIT}")
        expect(done.code != 0, "the reload succeeded")
        service.frames_go_on("the refused reload")
        expect(service.pid() == pid, "the service was restarted")
    finally:
        service.write_config(good)
    sentences = [line for line in service.journal().splitlines() if "threshold" in line]
    expect(sentences, "the journal does not say which setting is wrong")
    service.machine.must(f"systemctl reload {UNIT}")
    service.frames_go_on("the good reload")
    return f"refused: {sentences[-1]}"


def clean_stop(service: Service) -> str:
    """It stops cleanly within 5 s, with the live view open"""
    service.wait_until_well("the check before")
    with service.machine.opened("/api/v1/stream.mjpg", service.token) as stream:
        expect(stream.read(1), "the live view sends nothing")
        service.machine.must(f"systemctl stop {UNIT}")
    took = service.seconds_between("ActiveExit", "InactiveEnter")
    result = service.show("Result", "ExecMainStatus")
    expect(result == {"Result": "success", "ExecMainStatus": "0"}, f"it ended with {result}")
    expect(took < 5, f"stopping took {took:.1f} s")
    return f"{took:.1f} s, exit code 0"
