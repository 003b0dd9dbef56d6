"""What can go wrong, drawn as a tree. Each error is one sentence a person can act on.

EdgeRuntimeError                    exit code
├── ConfigError (ValueError)        2   a key, value or flag is wrong
├── SourceError (OSError)           3
│   ├── SourceUnavailable           3   cannot be opened
│   ├── SourceLost                  3   delivered before, has stopped; opening it again may help
│   └── SourceDamaged               3   a file whose rest cannot be read
├── PictureDamaged (ValueError)     3   one picture's data cannot be decoded
├── ModelError                      4
│   ├── ManifestInvalid (ValueError) 4  manifest or label file is wrong
│   ├── ManifestIncomplete (ValueError) 4  a dropped model's file does not tell all that is needed
│   ├── ModelRejected (ValueError)  4   the file is no usable model, or not for this role
│   ├── ModelMissing (LookupError)  4   no model of that name
│   └── ExchangeFailed (RuntimeError) 4  a model could not be put in while frames are processed
├── TrialImpossible (OSError)       4   a model could not be tried, and is not to blame
├── WebUnavailable (OSError)        5   address, port, tokens or certificate cannot be had
├── ActionUnavailable (OSError)     5   what a rule is to use is not there: a program, pin or file
├── ActionFailed (OSError)          5   what a rule does did not succeed
├── LibraryMissing (ImportError)    6   an optional library is not installed
├── OutputUnwritable (OSError)      7   results cannot be written
├── ShelfUnwritable (OSError)       7   the folder of models cannot be written
├── ServiceUnreachable (ConnectionError) 9  a running edge-runtime does not answer over the network
├── ServiceRefused (RuntimeError)   9   it answers that it will not; the sentence is its own
├── SupervisorUnavailable (OSError) 10  systemd is not there, may not be asked, or said no
├── InstallationUnsuited (RuntimeError) 10  no service can be made, or unmade, of this installation
├── SetupFailed (OSError)           7   a line of edge.conf is right, but the system refuses it
├── UpdateRefused (ValueError)      11  what is offered cannot be installed; nothing was changed
├── UpdateRolledBack (RuntimeError) 12  the new version did not run; the one before is back
├── UpdateStuck (RuntimeError)      13  the one before could not be put back: somebody is needed
├── PeopleError                     14
│   ├── TemplatesInvalid (ValueError)    14  a file of people is damaged, foreign or too new
│   ├── TemplatesUnwritable (OSError)    14  it cannot be read or replaced
│   ├── PersonMissing (LookupError)      14  nobody of that name is enrolled
│   └── EnrolmentRefused (ValueError)    14  a name or a view cannot be taken
└── CompressionError                8   a stage of a recipe cannot do what it was asked
    ├── LayerUnsuited (ValueError)      8   a layer cannot be changed in this way
    ├── TargetUnreachable (ValueError)  8   no setting reaches the size that was asked for
    ├── TrainingDiverged (ArithmeticError) 8   a loss is no number any more
    └── DataMissing (LookupError)       8   training data is not there or not as described

Sentences say what happened, where, what was expected and what to do. Exit code 1 is a defect of
ours (with a traceback), 0 a clean end, also after SIGINT or SIGTERM.
"""

from __future__ import annotations

from typing import ClassVar


class EdgeRuntimeError(Exception):
    """Anything this package raises on purpose."""

    exit_code: ClassVar[int] = 1


class ConfigError(EdgeRuntimeError, ValueError):
    """A key, value or flag is wrong."""

    exit_code = 2


class SourceError(EdgeRuntimeError, OSError):
    """Frames do not come."""

    exit_code = 3


class SourceUnavailable(SourceError):
    """A source cannot be opened."""


class SourceLost(SourceError):
    """A source delivered before and has stopped; opening it again may help."""


class SourceDamaged(SourceError):
    """The rest of a file cannot be read."""


class PictureDamaged(EdgeRuntimeError, ValueError):
    """One picture's data cannot be decoded; the next one may be whole."""

    exit_code = 3


class ModelError(EdgeRuntimeError):
    """A model cannot be used."""

    exit_code = 4


class ManifestInvalid(ModelError, ValueError):
    """A manifest or a label file is wrong."""


class ManifestIncomplete(ModelError, ValueError):
    """Something must be said of a model that its file does not tell."""

    def __init__(self, sentence: str, skeleton: str) -> None:
        super().__init__(sentence)
        self.skeleton = skeleton
        """A manifest.json with ``?`` where something is to be filled in."""


class ModelRejected(ModelError, ValueError):
    """A file is no usable model, or not one for the role it was given."""


class ModelMissing(ModelError, LookupError):
    """There is no model of that name."""


class ExchangeFailed(ModelError, RuntimeError):
    """A model could not be put in the place of another while frames are processed."""


class TrialImpossible(EdgeRuntimeError, OSError):
    """A model could not be tried out; it may be sound, and trying again may help."""

    exit_code = 4


class WebUnavailable(EdgeRuntimeError, OSError):
    """The page's address, port, tokens or certificate cannot be had."""

    exit_code = 5


class ActionUnavailable(EdgeRuntimeError, OSError):
    """What a rule is to use is not there: a program, a pin, a file."""

    exit_code = 5


class ActionFailed(EdgeRuntimeError, OSError):
    """What a rule does did not succeed; the next time it may."""

    exit_code = 5


class LibraryMissing(EdgeRuntimeError, ImportError):
    """An optional library is not installed; the sentence says how to get it."""

    exit_code = 6


class OutputUnwritable(EdgeRuntimeError, OSError):
    """Results cannot be written where they were asked for."""

    exit_code = 7


class ShelfUnwritable(EdgeRuntimeError, OSError):
    """The folder of models cannot be written; what was there before is still there."""

    exit_code = 7


class ServiceUnreachable(EdgeRuntimeError, ConnectionError):
    """A running edge-runtime does not answer, or what answers is none; trying again may help."""

    exit_code = 9


class ServiceRefused(EdgeRuntimeError, RuntimeError):
    """A running edge-runtime answers that it will not do what it was asked, and why."""

    exit_code = 9

    def __init__(self, sentence: str, status: int, *, manifest: str | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        """Of HTTP: 401 without the right token, 404, 409, 422, 503."""
        self.manifest = manifest
        """A manifest.json to fill in, when that is all that an upload lacks."""


class SupervisorUnavailable(EdgeRuntimeError, OSError):
    """systemd is not there, may not be asked, or refused; the sentence has its words."""

    exit_code = 10


class InstallationUnsuited(EdgeRuntimeError, RuntimeError):
    """No service can be made of this installation, or there is none to take away."""

    exit_code = 10


class SetupFailed(EdgeRuntimeError, OSError):
    """A line of ``edge.conf`` is right and could not be applied; it stays, so it can be again."""

    exit_code = 7


class UpdateRefused(EdgeRuntimeError, ValueError):
    """What is offered is no update for this machine, or cannot be had; nothing was changed."""

    exit_code = 11


class UpdateRolledBack(EdgeRuntimeError, RuntimeError):
    """The new version could not be installed or did not run; the one before is back."""

    exit_code = 12


class UpdateStuck(EdgeRuntimeError, RuntimeError):
    """The version before could not be put back, or does not run either: somebody is needed."""

    exit_code = 13


class PeopleError(EdgeRuntimeError):
    """Somebody cannot be enrolled, named or forgotten."""

    exit_code = 14


class TemplatesInvalid(PeopleError, ValueError):
    """A file of people cannot be used; it was left as it is."""


class TemplatesUnwritable(PeopleError, OSError):
    """A file of people cannot be read or replaced; what was there before is still there."""


class PersonMissing(PeopleError, LookupError):
    """Nobody of that name is enrolled."""


class EnrolmentRefused(PeopleError, ValueError):
    """A name or a view cannot be taken; the sentence says what would do."""


class CompressionError(EdgeRuntimeError):
    """A stage of a recipe cannot do what it was asked; earlier stages are kept."""

    exit_code = 8


class LayerUnsuited(CompressionError, ValueError):
    """A layer cannot be changed in this way."""


class TargetUnreachable(CompressionError, ValueError):
    """No setting reaches the size that was asked for; the sentence says how near it gets."""


class TrainingDiverged(CompressionError, ArithmeticError):
    """A loss became NaN or infinite."""


class DataMissing(CompressionError, LookupError):
    """Training data is not there or not as the recipe describes it."""
