"""Admitted models on disk: every version in its own folder, which is active, and since when."""
