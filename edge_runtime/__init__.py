"""Edge inference for Raspberry Pi and ARM boards: camera, attention, int8 models, live page.

Importing this package is cheap; rooms and heavy libraries load when they are opened.
"""

__version__ = "0.1.0"
