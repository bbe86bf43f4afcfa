"""The workstation's second half: a run folder in, verified model files out."""
