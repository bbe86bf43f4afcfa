"""The run folder: its layout and everything that a finished run leaves."""
