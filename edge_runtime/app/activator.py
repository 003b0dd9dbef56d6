"""Puts models in and takes them out while frames flow, and back if the first minute goes wrong."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from edge_runtime.app.assembly import Assembly, OpenedModel
from edge_runtime.app.between import Between
from edge_runtime.app.lineup import DETECTOR
from edge_runtime.app.settlement import Settlement
from edge_runtime.classify import Classifier
from edge_runtime.config import Config
from edge_runtime.errors import ExchangeFailed, ModelError
from edge_runtime.pipeline import Pipeline
from edge_runtime.pipeline.canary import Canary, CanaryReport, CanaryRule
from edge_runtime.pipeline.probation import Probation
from edge_runtime.store.shelf.shelf import Shelf
from edge_runtime.store.shelf.version import Version
from edge_runtime.types import Clock, ModelFate, Snapshot

log = logging.getLogger(__name__)

SLOWER: Final = 3.0
"""A new model's stage may take so many times what it took before, unless the settings say more."""

LEAST_BUDGET_MS: Final = 5.0
"""Below this a stage is never too slow: a model of 0.1 ms may become one of 2 ms."""

Tell = Callable[[ModelFate, str, str], None]
"""Told what became of which model, in a sentence."""


class _Watched(NamedTuple):
    """A role in its first minute."""

    role: str
    version: Version | None
    before: OpenedModel | None
    """Kept open, so that it can be back with the next frame."""
    version_before: Version | None
    probation: Probation


class _Compared(NamedTuple):
    """A candidate on live crops."""

    role: str
    version: Version
    candidate: OpenedModel
    canary: Canary
    who: str
    why: str


class Activator:
    """One model at a time, in the pipelines of all cameras.

    ``activate``, ``roll_back`` and ``tend`` are for any thread but the frames', which calls
    ``look`` after each frame and ``failed`` when one could not be processed.
    """

    def __init__(
        self,
        assembly: Assembly,
        pipelines: Sequence[Pipeline],
        between: Between,
        shelf: Shelf,
        config: Config,
        *,
        tell: Tell,
        clock: Clock = time.monotonic,
    ) -> None:
        self._assembly, self._pipelines, self._between = assembly, pipelines, between
        self._shelf, self._config, self._tell, self._clock = shelf, config, tell, clock
        self._lock = threading.RLock()
        self._versions = {role: shelf.active(role) for role in shelf.choices()}
        self._watched: _Watched | None = None
        self._compared: _Compared | None = None
        self._retired: deque[OpenedModel] = deque()
        self._returned: deque[tuple[_Watched, str]] = deque()

    def activate(self, role: str, version: Version | None, *, who: str, why: str) -> None:
        """Let a version play a role; with ``models.canary_crops`` compare it first.

        Returns when it plays, or when the comparison has begun. Raises ModelError when it cannot;
        who played the role then still does, and the shelf's history says so.
        """
        with self._lock:
            try:
                opened = self._opened(role, version)
                if version and opened and (incumbent := self._comparable(role, opened)):
                    self._compare(role, version, opened, incumbent, who, why)
                    return
                self._put_in(role, version, opened)
            except ModelError as error:
                if version is not None:
                    self._note_failure(role, version, str(error), who, why)
                raise
            if version is not None:
                self._shelf.activate(role, version, who=who, why=why)
            self._tell(
                "activated", str(version or role), f"{version or role} is active as {role}: {why}"
            )

    def roll_back(self, role: str, *, who: str, why: str) -> Version | None:
        """Let what played a role before play it again, and return it; None: as the settings say."""
        with self._lock:
            before = self._shelf.roll_back(role, who=who, why=why)
            self._put_in(role, before, self._opened(role, before))
            self._tell("rolled back", str(before or role), f"{role} is {before or 'as set'}: {why}")
            return before

    def follow(self) -> None:
        """Let play what was chosen on the shelf by somebody else, such as the command line."""
        with self._lock:
            choices = self._shelf.choices()
            for role in sorted(choices.keys() | self._versions.keys()):
                stack = choices.get(role, ())
                chosen = stack[-1].version if stack else None
                if chosen != self._versions.get(role):
                    self._follow(role, chosen, stack[-1].why if stack else "it was removed")

    def settle(self, config: Config) -> None:
        """Work as other settings say: their models where none was activated, their thresholds.

        Raises ModelError when one of their models cannot be used; then nothing has changed.
        """
        before = self._config
        if (config.detector, config.classify) == (before.detector, before.classify):
            return
        with self._lock:
            settlement = Settlement(config, self._assembly, self._shelf)
            try:
                self._between.do(lambda: settlement.take_effect(self._pipelines))
            except ModelError:
                settlement.close()
                raise
            self._config = config
            if (watched := self._watched) is not None:
                self._watched = None
                self._retire(watched.before)
            for opened in settlement.replaced:
                self._retire(opened)

    def version(self, role: str) -> Version | None:
        """What plays a role now; None: what the settings name."""
        return self._versions.get(role)

    def standing(self, role: str, version: Version) -> str:
        """What ``activate`` led to, in a sentence."""
        compared = self._compared
        if compared is not None and compared.version == version:
            return f"{version} is compared with the active {role} and takes over if it holds up"
        return f"{version} is active as {role}"

    def comparison(self) -> tuple[Version, CanaryReport] | None:
        """How a candidate stands against who plays its role, while that is being found out."""
        compared = self._compared
        return None if compared is None else (compared.version, compared.canary.report())

    def look(self, snapshot: Snapshot) -> None:
        """After a frame: whether the newest model keeps to its time."""
        watched = self._watched
        if watched is None:
            return
        reason = watched.probation.look(snapshot.stage_ms)
        if reason is not None:
            self._return(watched, reason)
        elif watched.probation.over:
            self._watched = None
            self._retire(watched.before)

    def failed(self, error: ModelError) -> bool:
        """A frame could not be processed; True when taking back the newest model may help."""
        if (watched := self._watched) is None:
            return False
        self._return(watched, f"it failed on a live frame: {error}")
        return True

    def tend(self) -> None:
        """Now and then: decide comparisons, close what is out, write down what went back."""
        with self._lock:
            if self._compared is not None:
                self._decide(self._compared)
            while self._returned:
                # Forgotten only when written down: until then the shelf names the failed one.
                self._write_down(*self._returned[0])
                self._returned.popleft()
            while self._retired:
                self._retired.popleft().engine.close()

    def close(self) -> None:
        """At the end of the frames: close what does not play."""
        with self._lock:
            if self._watched is not None:
                self._retire(self._watched.before)
            if self._compared is not None:
                self._retire(self._compared.candidate)
            self._watched = self._compared = None
            self.tend()

    def _follow(self, role: str, chosen: Version | None, why: str) -> None:
        try:
            self._put_in(role, chosen, self._opened(role, chosen))
        except ExchangeFailed as error:
            log.info("%s cannot play %s yet: %s", chosen, role, error)
        except ModelError as error:
            self._versions[role] = chosen
            before = self._shelf.roll_back(role, who="service", why=str(error))
            self._tell("refused", str(chosen or role), f"{before or 'what is set'} stays: {error}")
        else:
            self._tell(
                "activated",
                str(chosen or role),
                f"{chosen or 'what is set'} is active as {role}: {why}",
            )

    def _opened(self, role: str, version: Version | None) -> OpenedModel | None:
        model = self._assembly.lineup.of(role, version)
        return None if model is None else self._assembly.open_warm(model)

    def _put_in(self, role: str, version: Version | None, opened: OpenedModel | None) -> None:
        def exchange() -> None:
            before = self._assembly.playing(role)
            self._assembly.put_in(role, opened, self._pipelines)
            self._listen(None)
            if self._watched is not None:
                self._retire(self._watched.before)
            version_before = self._versions.get(role)
            self._watched = _Watched(role, version, before, version_before, self._probation(role))
            self._versions[role] = version

        try:
            self._between.do(exchange)
        except ModelError:
            if opened is not None:
                opened.engine.close()
            raise

    def _probation(self, role: str) -> Probation:
        stage = "detect" if role == DETECTOR else "classify"
        # Of the busiest camera: a new model is not slow because another camera sees nobody.
        took = max((each.median_ms(stage) or 0.0 for each in self._pipelines), default=0.0)
        budget = self._config.models.latency_budget_ms
        if budget is None:
            budget = max(LEAST_BUDGET_MS, SLOWER * (took or LEAST_BUDGET_MS))
        return Probation(stage, budget, clock=self._clock)

    def _return(self, watched: _Watched, reason: str) -> None:
        """In the frames' thread: the one before plays again at once, the rest is for ``tend``."""
        self._watched = None
        failed = self._assembly.playing(watched.role)
        self._assembly.put_in(watched.role, watched.before, self._pipelines)
        self._versions[watched.role] = watched.version_before
        self._retire(failed)
        self._returned.append((watched, reason))

    def _write_down(self, watched: _Watched, reason: str) -> None:
        log.warning("%s is taken back: %s", watched.version, reason)
        if watched.version is not None:
            self._shelf.roll_back(watched.role, who="probation", why=reason)
        self._tell("rolled back", str(watched.version or watched.role), reason)

    def _comparable(self, role: str, candidate: OpenedModel) -> str | None:
        """The name of the classifier a candidate is to be compared with, if it is to be."""
        incumbent = self._assembly.playing(role)
        if incumbent is None or role == DETECTOR or not self._config.models.canary_crops:
            return None
        manifest = incumbent.model.manifest
        return manifest.name if manifest.labels == candidate.model.manifest.labels else None

    def _compare(
        self,
        role: str,
        version: Version,
        candidate: OpenedModel,
        incumbent: str,
        who: str,
        why: str,
    ) -> None:
        rule = CanaryRule(
            crops=self._config.models.canary_crops, seconds=self._config.models.canary_s
        )
        canary = Canary(_classifier(candidate), incumbent, rule, clock=self._clock)
        if self._compared is not None:
            self._retire(self._compared.candidate)
        self._between.do(lambda: self._listen(canary))
        self._compared = _Compared(role, version, candidate, canary, who, why)
        self._tell("canary", str(version), f"{version} is compared on {rule.crops} crops")

    def _listen(self, canary: Canary | None) -> None:
        """In the frames' thread: one comparison hears the crops of all cameras."""
        for pipeline in self._pipelines:
            pipeline.listen(canary)

    def _decide(self, compared: _Compared) -> None:
        report = compared.canary.report()
        if report.promoted is None:
            return
        self._compared = None
        self._between.do(lambda: self._listen(None))
        role, version = compared.role, compared.version
        if report.promoted:
            self._put_in(role, version, compared.candidate)
            self._shelf.activate(role, version, who=compared.who, why=report.reason)
            self._tell("activated", str(version), f"{version} is active as {role}: {report.reason}")
        else:
            self._retire(compared.candidate)
            self._note_failure(role, version, report.reason, compared.who, compared.why)

    def _note_failure(self, role: str, version: Version, reason: str, who: str, why: str) -> None:
        self._shelf.note_failure(role, version, who=who, why=why, result=reason)
        self._tell("refused", str(version), f"{version} was not activated: {reason}")

    def _retire(self, opened: OpenedModel | None) -> None:
        if opened is not None:
            self._retired.append(opened)


def _classifier(opened: OpenedModel) -> Classifier:
    return Classifier(opened.engine, opened.model.manifest)
