"""The answer of a listener: its one wire format and its one wording."""

from dataclasses import dataclass

STATES = ("warming", "music", "other", "unknown", "silence", "lost")
STATE_TEXTS = {
    "warming": "listening …",
    "other": "no music",
    "unknown": "music, not sure",
    "silence": "silence",
    "lost": "NO SOUND ARRIVES",
}


@dataclass(frozen=True)
class Answer:
    """The state of the music at one moment.

    Attributes
    ----------
    time
        Seconds since the start, heard and lost.
    state
        One of `STATES`: "warming" (not enough heard), "music", "other" (sound, but no music), "unknown" (music, but
        the model is not sure enough), "silence" or "lost" (no audio arrives).
    label
        The class of music; None unless the state is "music".
    confidence
        Calibrated probability of the state or label, 0 to 1; 0 where the model was not run.
    top
        Labels with their probabilities, the most probable first.
    lost
        Seconds of `time` that were not heard.
    note
        The reason in words, if there is one.
    """

    time: float
    state: str
    label: str | None = None
    confidence: float = 0.0
    top: tuple[tuple[str, float], ...] = ()
    lost: float = 0.0
    note: str | None = None

    def to_dict(self, top_k: int) -> dict[str, object]:
        """The answer as a JSON object; `lost` and `note` are there only if they are set.

        Parameters
        ----------
        top_k
            Largest number of labels in `top`.

        Returns
        -------
        Keys and values of the JSON object; times are in seconds.

        Examples
        --------
        >>> Answer(12.5, "music", "jazz", 0.91, (("jazz", 0.91), ("blues", 0.05))).to_dict(top_k=1)
        {'t': 12.5, 'state': 'music', 'label': 'jazz', 'confidence': 0.91, 'top': [['jazz', 0.91]]}
        """
        fields: dict[str, object] = {
            "t": round(self.time, 3),
            "state": self.state,
            "label": self.label,
            "confidence": round(self.confidence, 4),
            "top": [[label, round(p, 4)] for label, p in self.top[:top_k]],
        }
        if self.lost:
            fields["lost"] = round(self.lost, 3)
        if self.note:
            fields["note"] = self.note
        return fields

    def describe(self) -> str:
        """The answer in a few words.

        Examples
        --------
        >>> Answer(12.5, "music", "jazz", 0.91).describe()
        'jazz 91%'
        >>> Answer(12.5, "other", confidence=0.8).describe()
        'no music'
        """
        return f"{self.label} {self.confidence:.0%}" if self.state == "music" else STATE_TEXTS[self.state]
