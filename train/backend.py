"""Keras and TensorFlow with their settings; the other modules of `train` import them from here.

The C++ part of TensorFlow writes to standard error before any log level applies: commands silence it, see
`edge.native_stderr`.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import tensorflow as tf

__all__ = ["keras", "tf"]
