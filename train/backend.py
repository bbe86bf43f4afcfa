"""Keras and TensorFlow, imported without their noise: every module of `train` takes them from here."""

import os

from edge.quiet import quiet_native_code

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")


with quiet_native_code():  # TensorFlow's C++ part writes before any of its log levels hold
    import keras
    import tensorflow as tf

__all__ = ["keras", "tf"]
