"""Float matrices kept as int8 where that changes nothing: a float32 flatbuffer of a quarter of its size.

Training rounds matrices to the steps in which TFLite quantises them (train.network.layers.snap_to_int8). So they can
be kept as int8 and made float again by a DEQUANTIZE, which both runtimes run once, when the model is opened; from then
everything is computed in float32, as fast and as exactly as without.
"""

from collections import Counter
from typing import Any

import numpy as np

from edge.frontend import FloatArray

LEAST_WEIGHTS = 4096  # below, a vector of steps and an operator more are not worth it
EXACT = 1e-6  # of the greatest weight: rounding of float32


def compacted(content: bytes) -> bytes:
    """The same flatbuffer, its matrices as int8 where they lie on their grid."""
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    dequantize = schema.OperatorCodeT()
    dequantize.builtinCode = dequantize.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    dequantize.version = 2  # the first that takes int8
    model.operatorCodes.append(dequantize)
    for graph in model.subgraphs:
        unpacking = []
        for index, tensor in enumerate(list(graph.tensors)):
            weights = _weights(model, tensor, schema)
            found = _on_grid(weights) if weights is not None else None
            if found is None:
                continue
            steps, scale = found
            kept = schema.TensorT()
            kept.name, kept.shape, kept.type = tensor.name + b"/int8", tensor.shape, schema.TensorType.INT8
            kept.quantization = schema.QuantizationParametersT()
            kept.quantization.scale, kept.quantization.zeroPoint = scale.tolist(), [0] * len(scale)
            kept.buffer = len(model.buffers)
            model.buffers.append(schema.BufferT())
            model.buffers[-1].data = steps.view(np.uint8).ravel()
            graph.tensors.append(kept)
            tensor.buffer = 0  # of what is computed
            unpacking.append(schema.OperatorT())
            unpacking[-1].opcodeIndex = len(model.operatorCodes) - 1
            unpacking[-1].inputs, unpacking[-1].outputs = [len(graph.tensors) - 1], [index]
        graph.operators = unpacking + graph.operators
    used = Counter(tensor.buffer for graph in model.subgraphs for tensor in graph.tensors)
    for index, buffer in enumerate(model.buffers):
        if not used[index] and index not in {entry.buffer for entry in model.metadata or ()}:
            buffer.data = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _weights(model: Any, tensor: Any, schema: Any) -> FloatArray | None:
    """A constant float matrix or set of filters, as its shape says; None for any other tensor."""
    data = model.buffers[tensor.buffer].data
    if data is None or tensor.type != schema.TensorType.FLOAT32 or len(tensor.shape) < 2:
        return None
    if np.prod(tensor.shape) < LEAST_WEIGHTS:
        return None
    return np.frombuffer(bytes(data), np.float32).reshape(tensor.shape)


def _on_grid(weights: FloatArray) -> tuple[Any, FloatArray] | None:
    """Weights in int8 steps, and the steps, of all or, of filters, of each (dimension 0); None if they aren't exact."""
    axes = None if weights.ndim == 2 else tuple(range(1, weights.ndim))
    step = np.abs(weights).max(axis=axes, keepdims=True) / 127
    step = np.where(step > 0, step, 1).astype(np.float32)
    steps = np.round(weights / step)
    if np.abs(steps * step - weights).max() > EXACT * np.abs(weights).max():
        return None
    return steps.astype(np.int8), step.ravel()
