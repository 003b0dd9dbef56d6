"""Videos: what is whole, damaged or no video at all; pace, loops; nothing on stderr but ours."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from edge_runtime.capture import Source, open_source
from edge_runtime.errors import SourceDamaged, SourceUnavailable
from tests.capture.fake_clock import FakeClock
from tests.capture.recordings import write_video

AsNobody = Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("clips") / "clip.avi", frames=40)


def opened(path: Path | str, clock: FakeClock, query: str = "") -> Source:
    return open_source(f"file://{path}{query}", clock=clock, wait=clock.wait)


def cut(clip: Path, folder: Path, share: float) -> Path:
    copy = folder / f"cut{clip.suffix}"
    data = clip.read_bytes()
    copy.write_bytes(data[: int(share * len(data))])
    return copy


def overwritten(clip: Path, folder: Path, start: float, share: float) -> Path:
    copy = folder / f"garbage{clip.suffix}"
    data = bytearray(clip.read_bytes())
    first, length = int(start * len(data)), int(share * len(data))
    data[first : first + length] = random.Random(1).randbytes(length)
    copy.write_bytes(data)
    return copy


def frames_before(error: type[Exception], source: Source) -> tuple[int, str]:
    with source:
        read = 0
        try:
            for _ in source:
                read += 1
        except error as raised:
            return read, str(raised)
    pytest.fail(f"{read} frames, and no {error.__name__}")


def test_every_frame_counts_and_then_it_ends(clip: Path, clock: FakeClock) -> None:
    with opened(clip, clock) as source:
        frames = list(source)
        assert (source.live, source.fps) == (False, 10.0)
        assert source.description == "video clip.avi, 320x240 at 10 fps"
    assert [frame.index for frame in frames] == list(range(40))
    assert {frame.name for frame in frames} == {str(clip)}
    assert clock.waits == []


def test_a_bare_path_will_do(clip: Path, clock: FakeClock) -> None:
    with open_source(str(clip), clock=clock, wait=clock.wait) as source:
        assert len(list(source)) == 40


def test_real_time_is_the_files_own_pace(clip: Path, clock: FakeClock) -> None:
    with opened(clip, clock, "?realtime=1") as source:
        assert source.live
        times = [frame.taken_at for frame in source]
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert steps == pytest.approx([0.1] * 39)


def test_real_time_stops_with_the_program(clip: Path, clock: FakeClock) -> None:
    clock.stopping_after = 1.0
    with opened(clip, clock, "?realtime=1") as source:
        assert len(list(source)) == 10


def test_a_loop_goes_on_with_rising_indices(clip: Path, clock: FakeClock) -> None:
    with opened(clip, clock, "?loop=1") as source:
        assert [next(source).index for _ in range(100)] == list(range(100))


def test_a_cut_file_gives_what_it_has_and_then_says_so(
    clip: Path, clock: FakeClock, tmp_path: Path
) -> None:
    read, said = frames_before(SourceDamaged, opened(cut(clip, tmp_path, 0.6), clock))
    assert 20 <= read <= 26
    assert f"read {read} of about 40 frames" in said


def test_garbage_in_the_middle_is_noticed(clip: Path, clock: FakeClock, tmp_path: Path) -> None:
    damaged = overwritten(clip, tmp_path, start=0.5, share=0.2)
    read, said = frames_before(SourceDamaged, opened(damaged, clock))
    assert read >= 18
    assert "damaged or cut short" in said


def test_a_damaged_file_is_not_looped(clip: Path, clock: FakeClock, tmp_path: Path) -> None:
    source = opened(cut(clip, tmp_path, 0.6), clock, "?loop=1")
    assert frames_before(SourceDamaged, source)[0] < 40


def test_what_is_missing_is_said(clock: FakeClock, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"nothing\.mp4 does not exist"):
        opened(tmp_path / "nothing.mp4", clock)


def test_a_folder_is_no_video(clock: FakeClock, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="is a folder, expected a video"):
        opened(tmp_path, clock)


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100])
def test_what_is_no_video_is_refused(content: bytes, clock: FakeClock, tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceUnavailable, match=rf"no video that can be read \({len(content)} by"):
        opened(path, clock)


def test_ffmpegs_own_lines_do_not_reach_the_user(clip: Path, tmp_path: Path) -> None:
    damaged = overwritten(clip, tmp_path, start=0.5, share=0.2)
    # In a process of its own: FFmpeg takes its log level once, when it is first used.
    code = (
        "import sys; from edge_runtime.capture import open_source; list(open_source(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(damaged)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    lines = done.stderr.splitlines()
    assert lines[0].startswith("Traceback")
    assert lines[-1].startswith("edge_runtime.errors.SourceDamaged")


def test_a_file_that_may_not_be_read_is_told_apart(
    clip: Path, clock: FakeClock, open_folder: Path, as_nobody: AsNobody
) -> None:
    locked = cut(clip, open_folder, 1.0)
    locked.chmod(0)
    with as_nobody(), pytest.raises(SourceUnavailable, match="may not be read by this user"):
        opened(locked, clock)


@pytest.mark.data
def test_whole_clips_end_without_complaint(data_dir: Path, clock: FakeClock) -> None:
    clips = sorted((data_dir / "videos").glob("*.m[kp][v4]"))
    assert clips
    for clip in (clip for clip in clips if clip.stat().st_size < 180_000):
        with opened(clip, clock) as source:
            assert len(list(source)) > 20


@pytest.mark.data
@pytest.mark.parametrize("name", ["person_a_yes.mkv", "store-aisle-detection.mp4"])
def test_damaged_clips_give_their_sound_frames_first(
    name: str, data_dir: Path, clock: FakeClock, tmp_path: Path
) -> None:
    damaged = overwritten(data_dir / "videos" / name, tmp_path, start=0.5, share=0.1)
    assert frames_before(SourceDamaged, opened(damaged, clock))[0] > 20


def test_a_recordings_own_clock_does_not_depend_on_who_reads_it(
    clip: Path, clock: FakeClock
) -> None:
    with opened(clip, clock) as source:
        assert source.fps is not None
        for index, frame in enumerate(source):
            clock.advance(7.0)
            assert frame.moment == pytest.approx(index / source.fps)


def test_played_in_real_time_the_clock_is_ours(clip: Path, clock: FakeClock) -> None:
    with opened(clip, clock, "?realtime=1") as source:
        assert next(source).moment == clock.now
