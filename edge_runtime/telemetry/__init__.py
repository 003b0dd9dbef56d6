"""How it is going: rates and latencies of the loop, heat, throttling, power of the machine."""
