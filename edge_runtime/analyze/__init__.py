"""Files in, JSON lines and annotated pictures out: the pipeline without a clock to follow."""
