"""Turns a fitted risk model into bytes that run no code when they are read, and refuses bytes that do not fit here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import scipy
import sklearn
import skops.io

from core.errors import BackorderManagerError
from ml.backorder_risk import RiskModel
from ml.calibration import Line
from ml.risk_features import FEATURES

FORMAT = 2
"""Raised when the meaning of what is stored changes."""
LARGEST = 2_000_000
"""Bytes of a model file."""
TRUSTED = frozenset({
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "ml.backorder_risk._flattened",
})  # fmt: skip
"""Types beyond those that skops trusts itself: exactly what our two estimators are made of."""


class ModelMismatch(BackorderManagerError):
    """The stored model does not fit this version of the program; it has to be fitted anew."""


@dataclass(frozen=True)
class StoredModel:
    """A model as bytes, with what it must be read with."""

    artefact: bytes
    sha256: str
    format: int
    features: tuple[str, ...]
    libraries: dict[str, str]


def libraries() -> dict[str, str]:
    """Versions of the libraries that a model depends on."""
    return {"scikit-learn": sklearn.__version__, "numpy": numpy.__version__, "scipy": scipy.__version__}


def pack(model: RiskModel) -> StoredModel:
    """Raises ModelMismatch when the file would be larger than LARGEST or hold a type that cannot be trusted."""
    content: dict[str, Any] = {
        "kind": model.kind,
        "rate": float(model.rate),
        "positives": int(model.positives),
        "line": [float(model.line.slope), float(model.line.shift)],
    }
    if isinstance(model.estimator, Line):
        content["rule"] = [float(model.estimator.slope), float(model.estimator.shift)]
    else:
        content["estimator"] = model.estimator
    artefact = skops.io.dumps(content, compression=8)
    if len(artefact) > LARGEST:
        raise ModelMismatch(f"The model takes {len(artefact):,} bytes, more than the {LARGEST:,} that are kept.")
    _refuse_strangers(artefact)
    return StoredModel(artefact, hashlib.sha256(artefact).hexdigest(), FORMAT, tuple(FEATURES), libraries())


def unpack(stored: StoredModel) -> RiskModel:
    """The model again. Raises ModelMismatch, naming what differs, before a byte of it is interpreted as a model."""
    if hashlib.sha256(stored.artefact).hexdigest() != stored.sha256:
        raise ModelMismatch("The stored model is damaged: its bytes are not those that were stored (SHA-256 differs).")
    if stored.format != FORMAT:
        raise ModelMismatch(f"The stored model has format {stored.format}, this program reads format {FORMAT}.")
    if tuple(stored.features) != tuple(FEATURES):
        odd = sorted(set(stored.features) ^ set(FEATURES)) or ["their order"]
        raise ModelMismatch(f"The stored model was fitted on other features ({', '.join(odd)} differ).")
    here = libraries()
    for name in ("scikit-learn",):
        if _minor(stored.libraries.get(name, "")) != _minor(here[name]):
            raise ModelMismatch(
                f"The stored model was fitted with {name} {stored.libraries.get(name, '(unknown)')}, here is {here[name]}: "
                "fit it anew."
            )
    _refuse_strangers(stored.artefact)
    content = skops.io.loads(stored.artefact, trusted=sorted(TRUSTED))
    estimator = Line(*content["rule"]) if "rule" in content else content["estimator"]
    return RiskModel(content["kind"], estimator, content["rate"], content["positives"], Line(*content["line"]))


def stored_of(row: Any) -> StoredModel:
    """From a row of `learning_model`."""
    features: Sequence[str] = row["features"]
    return StoredModel(row["artefact"], row["sha256"], row["format"], tuple(features), dict(row["libraries"]))


def _refuse_strangers(artefact: bytes) -> None:
    strangers = sorted(set(skops.io.get_untrusted_types(data=artefact)) - TRUSTED)
    if strangers:
        raise ModelMismatch(f"The stored model holds what no model of ours is made of: {', '.join(strangers)}.")


def _minor(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:2])
