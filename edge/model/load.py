"""Opening a model file."""

from pathlib import Path

from edge.errors import EdgeError
from edge.model.file import SUFFIXES, read_model_file
from edge.model.model import Model, check_network
from edge.model.runtime import open_network
from edge.model.streaming import StreamModel
from edge.model.window import WindowModel

SHIPPED_MODEL = Path(__file__).parents[1] / "data" / "model.tflite"


def load_model(path: str | Path = SHIPPED_MODEL, threads: int = 1, package: str | None = None) -> Model:
    """Open a `.tflite` or `.onnx` file of `convert.export`, or a link of any name to one.

    Parameters
    ----------
    path
        The model file; the one that comes with the package by default.
    threads
        Threads of the native runtime.
    package
        Import name of the TFLite runtime to use; by default the first one that is installed.

    Returns
    -------
    Model
        The model, tested on zeros, with nothing heard.

    Raises
    ------
    CardError
        If the file is damaged or was not written by `convert.export`.
    EdgeError
        If no installed runtime can run it.

    Examples
    --------
    >>> from edge import load_model
    >>> load_model().card.labels[:3]
    ('blues', 'classical', 'country')
    """
    path = Path(path)
    if path.is_symlink() and path.suffix not in SUFFIXES:
        path = path.resolve()
    content, card = read_model_file(path)
    assert card.tensors is not None  # read_model_file refuses such a card
    try:
        network = open_network(content, card.tensors, path.suffix, threads, package)
        model = WindowModel(card, network) if card.mode == "window" else StreamModel(card, network)
        check_network(model)
    except EdgeError as error:
        raise type(error)(f"{path}: {error}") from None
    return model
