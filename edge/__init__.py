"""Hears what kind of music is playing. This package is all that a device needs."""
