"""The history of what was heard: segments, their file, and a plot of a day."""
