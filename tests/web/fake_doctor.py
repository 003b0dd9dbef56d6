"""A doctor that says what the test wants, and counts how often it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_runtime.doctor.finding import Finding

SUPPLY = Finding("power supply", "act", "under-voltage now", "use the official supply")
FINDINGS = (
    Finding("board", "fine", "Raspberry Pi 4 Model B Rev 1.2"),
    SUPPLY,
    Finding("clock", "unknown", "nobody says whether a time server keeps it"),
)


@dataclass
class FakeDoctor:
    """What was put into it."""

    findings: Sequence[Finding] = FINDINGS
    asked: int = 0

    def __call__(self) -> Sequence[Finding]:
        self.asked += 1
        return self.findings
