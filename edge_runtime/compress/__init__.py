"""Making models small: nets, losses, training, quantization, export.

Imports torch; the runtime never imports this room.
"""
