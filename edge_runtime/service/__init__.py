"""Living as a process: workers that can be stopped, signals that stop them."""
