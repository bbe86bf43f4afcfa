"""Costs of listening: CPU time, latency and memory, on this machine and on emulated Arm."""
