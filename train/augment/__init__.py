"""Variants of clips and surroundings of crops."""
