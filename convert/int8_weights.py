"""Matrices of a float32 flatbuffer stored as int8, without any change of value: a quarter of the size.

Training rounds matrices to the steps of TFLite's int8 quantisation (train.network.layers.snap_to_int8). So they can be
stored as int8, with a DEQUANTIZE operator that both runtimes execute once, when the model is opened. All arithmetic
remains float32, equally fast and exact.
"""

from collections import Counter
from typing import Any

import numpy as np

from edge.arrays import FloatArray

MIN_WEIGHTS = 4096  # a smaller matrix is not worth a vector of steps and another operator
TOLERANCE = 1e-6  # of the largest weight: float32 rounding


def store_as_int8(content: bytes) -> bytes:
    """Store the matrices of a TFLite flatbuffer that lie on an int8 grid as int8; return the new flatbuffer."""
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    dequantize = schema.OperatorCodeT()
    dequantize.builtinCode = dequantize.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    dequantize.version = 2  # the first that takes int8
    model.operatorCodes.append(dequantize)
    for graph in model.subgraphs:
        dequantisation = []
        for index, tensor in enumerate(list(graph.tensors)):
            weights = _weights(model, tensor, schema)
            on_grid = _on_grid(weights) if weights is not None else None
            if on_grid is None:
                continue
            steps, scale = on_grid
            stored = schema.TensorT()
            stored.name, stored.shape, stored.type = tensor.name + b"/int8", tensor.shape, schema.TensorType.INT8
            stored.quantization = schema.QuantizationParametersT()
            stored.quantization.scale, stored.quantization.zeroPoint = scale.tolist(), [0] * len(scale)
            stored.buffer = len(model.buffers)
            model.buffers.append(schema.BufferT())
            model.buffers[-1].data = steps.view(np.uint8).ravel()
            graph.tensors.append(stored)
            tensor.buffer = 0  # the buffer of computed tensors
            dequantisation.append(schema.OperatorT())
            dequantisation[-1].opcodeIndex = len(model.operatorCodes) - 1
            dequantisation[-1].inputs, dequantisation[-1].outputs = [len(graph.tensors) - 1], [index]
        graph.operators = dequantisation + graph.operators
    used = Counter(tensor.buffer for graph in model.subgraphs for tensor in graph.tensors)
    for index, buffer in enumerate(model.buffers):
        if not used[index] and index not in {entry.buffer for entry in model.metadata or ()}:
            buffer.data = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _weights(model: Any, tensor: Any, schema: Any) -> FloatArray | None:
    """Values of a constant float matrix or set of filters, in the shape of the tensor; None for any other tensor."""
    data = model.buffers[tensor.buffer].data
    if data is None or tensor.type != schema.TensorType.FLOAT32 or len(tensor.shape) < 2:
        return None
    if np.prod(tensor.shape) < MIN_WEIGHTS:
        return None
    return np.frombuffer(bytes(data), np.float32).reshape(tensor.shape)


def _on_grid(weights: FloatArray) -> tuple[Any, FloatArray] | None:
    """Weights as int8 multiples of steps, and the step of a matrix or of each filter (dimension 0); None if inexact."""
    axes = None if weights.ndim == 2 else tuple(range(1, weights.ndim))
    step = np.abs(weights).max(axis=axes, keepdims=True) / 127
    step = np.where(step > 0, step, 1).astype(np.float32)
    steps = np.round(weights / step)
    if np.abs(steps * step - weights).max() > TOLERANCE * np.abs(weights).max():
        return None
    return steps.astype(np.int8), step.ravel()
