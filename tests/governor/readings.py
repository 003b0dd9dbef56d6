"""A healthy board's reading, and the snapshot of a pipeline that keeps up."""

from __future__ import annotations

from edge_runtime.types import Health, Percentiles, Rates, Snapshot, Throttling

CALM = Throttling(*[False] * 8)

HEALTH = Health(
    read_at=0.0,
    board="Raspberry Pi 4 Model B Rev 1.2",
    uptime_s=1.0,
    cpu_percent=None,
    system_cpu_percent=None,
    memory_mb=None,
    peak_memory_mb=None,
    memory_available_mb=None,
    temperature_c=None,
    throttling=CALM,
    power=None,
    energy_per_frame_mj=None,
    energy_per_inference_mj=None,
)


def snapshot(*, p95_ms: float = 10.0, processed: float = 30.0, dropped: float = 0.0) -> Snapshot:
    return Snapshot(
        frame=0,
        taken_at=0.0,
        width=640,
        height=480,
        faces=(),
        motion=0.0,
        detected=True,
        stage_ms={},
        latency={"frame": Percentiles(p95_ms / 2, p95_ms, 2 * p95_ms)},
        rates=Rates(processed + dropped, processed, dropped, 0, 0, 0),
        inferences=0,
        frames_with_face=0,
        models=(),
    )
