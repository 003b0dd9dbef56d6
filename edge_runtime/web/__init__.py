"""What people see: the status page, the live view, the API, the metrics, and the door to them.

``door``, ``preview``, ``streams`` and ``status`` load next to nothing; ``service`` loads FastAPI
(0.2 s, 20 MB), so it is imported only by a program that serves.
"""
