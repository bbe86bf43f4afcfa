"""What boards have measured: a report of benchmarks.latency for each, and the one table of them all."""
