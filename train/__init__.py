"""From a corpus to a run folder: what a workstation needs, and a device never sees."""
