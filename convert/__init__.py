"""Conversion on a workstation: from a run folder to verified model files."""
