"""The same networks in words that TensorFlow's TFLite converter understands, weights copied to the bit."""

from typing import TYPE_CHECKING, Any

from convert.run_folder import FEATURES

if TYPE_CHECKING:
    import keras


def fusable_twin(network: "keras.Model") -> Any:
    """The same window network in tf_keras, whose LSTM the converter fuses; Keras 3's becomes WHILE loops."""
    import tf_keras

    twin = tf_keras.Sequential([tf_keras.Input(network.inputs[0].shape[1:], batch_size=1, name=FEATURES)])
    for layer in network.layers:
        kind, config = type(layer).__name__, layer.get_config()
        if kind == "InputLayer":
            continue
        known = ("name", "units", "activation", "return_sequences", "rate")
        twin.add(getattr(tf_keras.layers, kind)(**{key: config[key] for key in known if key in config}))
    twin.set_weights(network.get_weights())
    return twin


def unrolled(network: "keras.Model", float_head: bool) -> "keras.Model":
    """The same step network with its LSTM of one step written out, which leaves no loop to convert.

    With `float_head` its dense layers are a product and a sum, which dynamic range leaves in float: there int8
    inputs cost most of the accuracy (0.013 against 0.008 in the greatest probability) and save 5 kB.
    """
    from train.backend import keras

    class SpelledOutDense(keras.layers.Dense):  # type: ignore[misc]  # keras ships no types
        """(batch, n) → (batch, units) without a FULLY_CONNECTED."""

        def call(self, inputs: Any, training: bool | None = None) -> Any:
            product = keras.ops.sum(keras.ops.expand_dims(inputs, -1) * self.kernel, axis=-2)
            return self.activation(product + self.bias)

    def clone(layer: Any) -> Any:
        kind, config = type(layer), layer.get_config()
        if "unroll" in config:
            config["unroll"] = True
        if float_head and kind is keras.layers.Dense:
            kind = SpelledOutDense
        return kind.from_config(config)

    twin = keras.models.clone_model(network, clone_function=clone)
    twin.set_weights(network.get_weights())
    return twin
