"""The record of what was heard, and its picture."""
