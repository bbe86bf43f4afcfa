"""Measure the cost of listening on this machine."""
