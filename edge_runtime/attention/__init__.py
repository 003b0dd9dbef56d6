"""Where to look: a glance at the whole frame, faces found and followed, crops cut."""
