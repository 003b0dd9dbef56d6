"""Run a .tflite file, and know nothing else: the contract, its backends, what a file contains."""
