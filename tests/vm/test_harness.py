"""The harness of the virtual machine, without one: what is started, waited for and chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proof import Unmet, exit_code_of, prove, title_of
from tests.vm import running
from tests.vm.__main__ import ALWAYS, CHECKS, chosen
from tests.vm.machine import Answer, Boot, Done, Machine, Patience, command_line
from tests.vm.packages import break_program, set_version
from tests.vm.service import Service


class FakeMachine(Machine):
    """Answers a command by the first of (part of it, code, text) that fits."""

    def __init__(self, *answers: tuple[str, int, str], pages: dict[str, int] | None = None) -> None:
        boot = Boot(Path("k"), Path("i"), (Path("d"),), Path("console.log"))
        self.now = 0.0
        super().__init__(boot, clock=lambda: self.now, sleep=self._pass)
        self._answers, self._pages = answers, pages or {}

    @property
    def ended(self) -> bool:
        return False

    def run(self, command: str, *, timeout_s: float = 1800) -> Done:
        self.now += 0.1
        if "/proc/uptime" in command:
            return Done(0, str(self.now))
        for part, code, text in self._answers:
            if part in command:
                return Done(code, text)
        return Done(0, "")

    def get(self, path: str, token: str | None = None) -> Answer:
        return Answer(200 if token == "known" else self._pages.get(path, 401), b"")

    def _pass(self, seconds: float) -> None:
        self.now += seconds


def test_a_start_that_takes_too_long_fails_the_run() -> None:
    def started(microseconds: int) -> Service:
        marks = (
            "InactiveExitTimestampMonotonic=1000000\n"
            f"ActiveEnterTimestampMonotonic={microseconds}\nStatusText=30 fps"
        )
        service = Service(FakeMachine(("systemctl show", 0, marks)))
        service.token = "known"
        return service

    good = prove([running.ready_in_time], started(31_000_000), say=len)
    assert (good[0].said, exit_code_of(good)) == ("first frame through after 30.0 s; 30 fps", 0)
    slow = prove([running.ready_in_time], started(61_500_000), say=len)
    assert (slow[0].said, exit_code_of(slow)) == ("60.5 s", 1)


@pytest.mark.parametrize(("exposure", "passed"), [("1.4", True), ("1.5", True), ("1.6", False)])
def test_too_much_exposure_fails(exposure: str, passed: bool) -> None:
    line = f"→ Overall exposure level for edge-runtime.service: {exposure} OK 🙂"
    service = Service(FakeMachine(("systemd-analyze security", 0, line)))
    assert prove([running.hardened], service, say=len)[0].passed is passed


def test_a_page_that_is_open_to_everybody_fails() -> None:
    closed = Service(FakeMachine())
    assert prove([running.refused_without_token], closed, say=len)[0].passed
    leaky = Service(FakeMachine(pages={"/metrics": 200}))
    outcome = prove([running.refused_without_token], leaky, say=len)[0]
    assert (outcome.passed, outcome.said) == (False, "/metrics answered 200 without a token")


def test_a_command_that_fails_says_what_it_printed() -> None:
    machine = FakeMachine(("apt-get", 100, "E: unmet dependencies"))
    with pytest.raises(Unmet, match="ended with 100: E: unmet dependencies"):
        machine.must("apt-get install x")


def test_waiting_goes_by_the_clock_inside() -> None:
    machine = FakeMachine()
    answers = iter([False, False, True])
    assert machine.until(lambda: next(answers), "third time", within_s=60)
    with pytest.raises(Unmet, match="never: not within 20 s; last: it does not hold"):
        machine.until(lambda: False, "never", within_s=20)
    assert machine.now < 60


def test_waiting_asks_again_who_does_not_answer_yet() -> None:
    def refuse() -> bool:
        raise ConnectionRefusedError("nobody listens")

    with pytest.raises(Unmet, match="last: nobody listens"):
        FakeMachine().until(refuse, "a page", within_s=5)


def test_a_clock_inside_that_stands_still_is_not_waited_for_for_ever() -> None:
    outside = iter([0.0, 100.0, 899.0, 1000.0, 1001.0])
    patience = Patience(5, inside=lambda: None, outside=lambda: next(outside))
    assert [patience.is_over() for _ in range(4)] == [False, False, True, True]


def test_an_emulator_that_ended_ends_the_wait() -> None:
    class Ended(FakeMachine):
        @property
        def ended(self) -> bool:
            return True

    with pytest.raises(Unmet, match=r"console\.log says why"):
        Ended().until(lambda: False, "a page", within_s=5)


def test_the_machine_is_reached_over_loopback_only_and_its_disks_stay_as_they_are() -> None:
    boot = Boot(Path("k"), Path("i"), (Path("root.img"), Path("p.img")), Path("console.log"))
    words = command_line(boot, agent=1234, page=5678)
    net = words[words.index("-netdev") + 1]
    assert net.count("hostfwd=tcp:127.0.0.1:") == 2
    drives = [word for word in words if word.startswith("file=") and "format=raw" in word]
    assert len(drives) == 2
    assert all("snapshot=on" in drive for drive in drives)
    assert words[words.index("-cpu") + 1] == "cortex-a72"


def test_checks_have_names_of_their_own() -> None:
    titles = [title_of(check) for check in CHECKS]
    assert all(titles)
    assert len(set(titles)) == len(titles)


def test_only_some_checks_and_what_they_stand_on() -> None:
    assert chosen(()) == CHECKS
    assert chosen(["hardened"]) == (*ALWAYS, running.hardened)
    with pytest.raises(SystemExit, match="no check is called hardend; known: boots, "):
        chosen(["hardend"])


def test_a_package_gets_another_version_and_nothing_else() -> None:
    control = "Package: edge-runtime\nVersion: 0.1.0\nDepends: python3 (>= 3.11~)\n"
    assert set_version(control, "9.1.0") == control.replace("0.1.0", "9.1.0")
    with pytest.raises(ValueError, match="0 times"):
        set_version("Package: edge-runtime\n", "9.1.0")


@pytest.fixture
def program(tmp_path: Path, repository: Path) -> Path:
    copy = tmp_path / "run.py"
    copy.write_text((repository / "edge_runtime/cli/run.py").read_text())
    return copy


def test_the_broken_package_compiles_and_fails_when_started(program: Path) -> None:
    break_program(program)
    code = compile(program.read_text(), str(program), "exec")
    with pytest.raises(RuntimeError, match="broken on purpose"):
        exec(code, {})
