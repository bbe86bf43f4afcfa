"""The kinds of split, in a module without dependencies so that `--help` needs none."""

# Kind → a sentence about it, which metrics.json repeats beside the accuracy.
SPLITS = {
    "segments": "LEAKY: segments of the same tracks are in training, so this is no accuracy on new music",
    "tracks": "no track is on two sides of the split; artists may be",
    "lists": "the sides are as the corpus lists them",
    "folds": "each clip is judged by a network that never heard its artist, as far as the lists name artists; the "
    "network that is kept has heard them all",
}
