"""A model is tried out in a process of its own before anything trusts it."""
