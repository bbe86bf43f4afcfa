"""Training on a workstation: from a corpus of audio files to a run folder."""
