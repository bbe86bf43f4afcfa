"""Accuracy of a model: on a corpus, in a simulated room, on a stream, and beside other classifiers."""
