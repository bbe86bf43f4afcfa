"""Keras and TensorFlow, imported quietly; the other modules of `train` import them from here."""

import os

from edge.native_stderr import quiet_native_code

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")


with quiet_native_code():  # the C++ part of TensorFlow writes to stderr before any of its log levels apply
    import keras
    import tensorflow as tf

__all__ = ["keras", "tf"]
