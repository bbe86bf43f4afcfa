"""Hears what kind of music is playing. This package is all that a device needs."""

import os

# numpy's BLAS would start a thread a core for one small product a hop: twice the CPU time for nothing.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

HOP_SECONDS = 0.5  # time between answers unless told; it stands here because --help loads nothing else
