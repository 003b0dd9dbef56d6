"""What detectors say, turned into boxes: one file for each way of coding them, pure numpy."""
