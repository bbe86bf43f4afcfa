"""Equivalent networks that TensorFlow's TFLite converter can convert; the weights are copied exactly."""

from typing import TYPE_CHECKING, Any

from convert.run_folder import FEATURES

if TYPE_CHECKING:
    import keras


def fusable(network: "keras.Model") -> Any:
    """Rebuild a window network in tf_keras, whose LSTM the converter fuses; the LSTM of Keras 3 becomes WHILE loops."""
    import tf_keras

    rewritten = tf_keras.Sequential([tf_keras.Input(network.inputs[0].shape[1:], batch_size=1, name=FEATURES)])
    for layer in network.layers:
        kind, config = type(layer).__name__, layer.get_config()
        if kind == "InputLayer":
            continue
        known = ("name", "units", "activation", "return_sequences", "rate")
        rewritten.add(getattr(tf_keras.layers, kind)(**{key: config[key] for key in known if key in config}))
    rewritten.set_weights(network.get_weights())
    return rewritten


def unrolled(network: "keras.Model", float_head: bool) -> "keras.Model":
    """Rebuild a stream network with unrolled LSTMs of one step, which leaves no loop to convert.

    With `float_head` the dense layers become a product and a sum, which dynamic range leaves in float: int8 inputs of
    these layers cause most of the error (0.013 instead of 0.008 in the largest probability) and save 5 kB only.
    """
    from train.backend import keras

    class ProductAndSum(keras.layers.Dense):  # type: ignore[misc]  # keras ships no types
        """Dense layer without a FULLY_CONNECTED operator: (batch, n) → (batch, units)."""

        def call(self, inputs: Any, training: bool | None = None) -> Any:
            product = keras.ops.sum(keras.ops.expand_dims(inputs, -1) * self.kernel, axis=-2)
            return self.activation(product + self.bias)

    def clone(layer: Any) -> Any:
        kind, config = type(layer), layer.get_config()
        if "unroll" in config:
            config["unroll"] = True
        if float_head and kind is keras.layers.Dense:
            kind = ProductAndSum
        return kind.from_config(config)

    rewritten = keras.models.clone_model(network, clone_function=clone)
    rewritten.set_weights(network.get_weights())
    return rewritten
