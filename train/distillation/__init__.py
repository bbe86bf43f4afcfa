"""MusiCNN as a teacher, and targets from what it computes."""
