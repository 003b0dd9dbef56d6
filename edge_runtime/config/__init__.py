"""Settings: defaults, a TOML file, the environment and flags make one frozen ``Config``.

Nothing else in the package reads TOML or the environment; the command line hands ``os.environ`` in.
"""

from edge_runtime.config.config import Config
from edge_runtime.config.edit import with_setting
from edge_runtime.config.loaded import Loaded, load_config, problems_in_file, read_config
from edge_runtime.config.problem import Problem
from edge_runtime.config.text import to_toml

__all__ = [
    "Config",
    "Loaded",
    "Problem",
    "load_config",
    "problems_in_file",
    "read_config",
    "to_toml",
    "with_setting",
]
