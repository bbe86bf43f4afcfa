"""A model beside the baselines, on clips that all of them can read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.accuracy.baselines import BASELINES, Baseline, Features
from benchmarks.accuracy.cross_validation import FoldPrediction
from benchmarks.accuracy.evaluation import Paired, Prediction, paired, with_groups
from edge.errors import EdgeError
from train.corpus.clips import Clip
from train.evaluation.metrics import Share

MODEL, RECIPE = "model", "recipe"
Table = dict[str, dict[str, Share]]  # name → accuracy on all clips, and by source


@dataclass(frozen=True)
class FoldTable:
    """A recipe and the baselines in the same cross-validation, and the recipe's lead over each of them."""

    accuracy: Table
    ahead: dict[str, Paired]


def compute_features(clips: Iterable[Clip]) -> dict[str, Features]:
    """Features of clips for each baseline, by its name."""
    unique = list({clip.name: clip for clip in clips}.values())
    return {baseline.name: baseline.features_of(unique) for baseline in BASELINES}


def readable_by_all(clip: Clip, features: Mapping[str, Features]) -> bool:
    """Return True if each baseline has features of a clip."""
    return all(clip.name in of_baseline for of_baseline in features.values())


def compare(
    predictions: Sequence[Prediction],
    train_clips: Sequence[Clip],
    train_features: Mapping[str, Features],
    features: Mapping[str, Features],
) -> Table:
    """Compare a model's predictions with those of baselines that are trained on other clips.

    Parameters
    ----------
    predictions
        Of the model.
    train_clips
        Clips that the baselines are trained on.
    train_features
        Features of those clips, by baseline.
    features
        Features of the clips of the predictions, by baseline.

    Raises
    ------
    EdgeError
        If no clip can be compared.
    """
    known = [p for p in predictions if readable_by_all(p.clip, features)]
    if not known:
        raise EdgeError("the baselines could read none of the clips")
    table = {MODEL: with_groups([(p.source, p.correct) for p in known])}
    for baseline in BASELINES:
        inputs = {p.clip.name: features[baseline.name][p.clip.name] for p in known}
        predicted = baseline.predict(train_clips, train_features[baseline.name], inputs)
        table[baseline.name] = with_groups([(p.source, predicted[p.clip.name] == p.clip.label) for p in known])
    return table


def compare_folds(folds: Sequence[FoldPrediction], features: Mapping[str, Features]) -> FoldTable:
    """Compare a recipe's predictions with those of baselines, neither of them trained on the clip's fold.

    Raises
    ------
    EdgeError
        If nothing is left to train on.
    """
    known = [f for f in folds if readable_by_all(f.clip, features)]
    recipe = [f.predicted == f.clip.label for f in known]
    sources = [f.source for f in known]
    table = {RECIPE: with_groups(list(zip(sources, recipe, strict=True)))}
    ahead = {}
    for baseline in BASELINES:
        predicted = predict_folds(baseline, known, features[baseline.name])
        correct = [predicted[f.clip.name] == f.clip.label for f in known]
        table[baseline.name] = with_groups(list(zip(sources, correct, strict=True)))
        ahead[baseline.name] = paired(correct, recipe)
    return FoldTable(table, ahead)


def predict_folds(baseline: Baseline, folds: Sequence[FoldPrediction], features: Features) -> dict[str, str]:
    """Label of each clip by a baseline that is trained on all folds but the clip's own."""
    predicted: dict[str, str] = {}
    for fold in {f.fold for f in folds}:
        inputs = {f.clip.name: features[f.clip.name] for f in folds if f.fold == fold}
        predicted |= baseline.predict([f.clip for f in folds if f.fold != fold], features, inputs)
    return predicted
