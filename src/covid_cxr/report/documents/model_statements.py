"""Sentences about the network and its trainings, told from their own records.

A statement returns "" where the records do not tell.
"""

from collections.abc import Mapping
from typing import Any

from covid_cxr.report import wording
from covid_cxr.report.documents.evidence import Evidence
from covid_cxr.report.run_facts import CODE, PACKAGE
from covid_cxr.report.trainings import cost_of_study, training_title
from covid_cxr.study.current import current

_DENSENET121 = [6, 12, 24, 16]
_DECAY = {
    "coupled_l2": "weight decay {} in the gradient of kernels",
    "decoupled": "decoupled weight decay {} of kernels",
}
_TRAINABLE = {
    "all": "all weights",
    "last_block": "the last dense block and the head",
    "head": "the head only",
}


def study_type(evidence: Evidence) -> str:
    """Return what kind of study the run is."""
    n_paths = len(evidence.paths)
    compared = f", compares {n_paths} paths of training it," if n_paths > 1 else ""
    return (
        "The run develops a deep-learning classifier (a convolutional network) of "
        f"{wording.target()} on frontal chest radiographs{compared} and evaluates on "
        "radiographs that were kept apart."
    )


def chosen_model(evidence: Evidence) -> str:
    """Return which classifier the document is about, and how it was chosen."""
    path = evidence.chosen
    if len(evidence.paths) == 1:
        return f"{path.title}: {path.description}."
    return (
        f"{path.title}: {path.description}. It had the highest "
        f"{'mean ' if current().has_findings else ''}AUROC of "
        f"{len(evidence.paths)} paths on the validation part, "
        f"{wording.auroc(evidence.result['validation_auroc'])}; the test part had no "
        "say in the choice."
    )


def network(evidence: Evidence) -> str:
    """Return the network, layer counts and all."""
    built = evidence.record.get("network")
    if built is None:
        return ""
    blocks = list(built["blocks"])
    name = "DenseNet121" if blocks == _DENSENET121 else "DenseNet"
    size = built["size_px"]
    return (
        f"{name} (Huang et al. 2017): dense blocks of {_listed(blocks)} layers, growth "
        f"rate {built['growth_rate']}, {built['initial_filters']} filters in the first "
        f"convolution; input one channel of {size} by {size} pixels; global average "
        "pooling and one sigmoid per label. The saved .keras file holds every layer."
    )


def output(evidence: Evidence) -> str:
    """Return what the network gives for a radiograph."""
    return (
        f"A score from 0 to 1 for {wording.target()}, the sigmoid of the last layer, "
        f"one per radiograph{' and finding' if current().has_findings else ''} and not "
        "per patient."
    )


def software(evidence: Evidence) -> str:
    """Return packages and versions, of the trainings and of the report."""
    trained = dict.fromkeys(evidence.trainings["versions"].dropna())
    told = f"Trained with {'; '.join(trained)}. " if any(trained) else ""
    packages = evidence.provenance.of(PACKAGE)
    made = _listed([f"{name} {version}" for name, version in packages.items()])
    return f"{told}Evaluated with {made}."


def initialisation(evidence: Evidence) -> str:
    """Return the weights that the first training of the path started from."""
    rows = evidence.trainings.set_index("training")["after"]
    chain = str(rows[f"{evidence.chosen.name}_phase3"]).split(" → ")
    if not evidence.lineage:
        return ""
    seed = evidence.lineage[0]["recipe"]["seed"]
    return (
        f"The first training of the path started from {chain[0]}, each further one "
        "from the classifier before it, with a new head drawn from the training's seed "
        f"({seed} in the first)."
    )


def training(evidence: Evidence) -> str:
    """Return how each training behind the classifier was done."""
    told = [_one_training(record) for record in evidence.lineage]
    return " ".join(told)


def cost(evidence: Evidence) -> str:
    """Return how many trainings the run has, and how long they are."""
    total = cost_of_study(evidence.trainings)
    return (
        f"{total.trainings} trainings in all, {wording.count(total.epochs)} epochs, "
        f"{wording.count(total.image_passes)} image passes; timings.csv has the clock."
    )


def selection(evidence: Evidence) -> str:
    """Return how the epoch and the path were chosen."""
    told = "Each training kept the epoch with the lowest validation loss."
    if len(evidence.paths) == 1:
        return f"{told} One path was run; there was no choice between paths."
    return f"{told} {chosen_model(evidence)}"


def class_imbalance(evidence: Evidence) -> str:
    """Return that training radiographs are neither weighted nor drawn by class."""
    shares = [
        f"{wording.training_set(row['training_set'])} "
        f"{wording.percent(row['positives'] / row['images'])}"
        for row in evidence.part_counts.query("part == 'train'").to_dict("records")
    ]
    return (
        "No class was weighted or drawn more often in training. Share of positive "
        f"training radiographs: {_listed(shares)}."
    )


def not_a_device(_: Evidence) -> str:
    """Return what the classifier must not be used for."""
    return (
        "Research software, not a medical device: not for diagnosis, triage or any "
        "other decision about patients."
    )


def code(evidence: Evidence) -> str:
    """Return the version of the code, and its commit where it is known."""
    known = evidence.provenance.of(CODE)
    told = f"covid_cxr {known['version']} (Apache-2.0)"
    if "commit" not in known:
        return f"{told}."
    edited = ", with changes that are not committed" if known["edited"] == "yes" else ""
    return f"{told}, commit {known['commit']}{edited}."


def protocol(evidence: Evidence) -> str:
    """Return where every setting can be read."""
    n_facts = len(evidence.provenance.provenance_results)
    return (
        f"Parameters, seeds and hashes of the run stand in provenance.csv ({n_facts} "
        f"rows). Code: {code(evidence)}"
    )


def weights(evidence: Evidence) -> str:
    """Return the classifier's file and the hash of its weights."""
    digest = evidence.record.get("weights_sha256")
    told = f"The classifier is {evidence.chosen.name}_phase3_classifier.keras"
    return f"{told}." if digest is None else f"{told}, SHA-256 of its weights {digest}."


def _one_training(record: Mapping[str, Any]) -> str:
    recipe, n_images = record["recipe"], record["n_images"]
    decay = _DECAY[recipe["decay"]].format(recipe["weight_decay"])
    rate = (
        f"learning rate {recipe['learning_rate']:g}, times "
        f"{recipe['plateau_factor']:g} after {recipe['plateau_epochs']} epochs without "
        "improvement"
    )
    epochs = (
        f"at most {recipe['max_epochs']} epochs, ended after {recipe['stop_epochs']} "
        f"without improvement: {record['n_epochs']} run, epoch {record['best_epoch']} "
        "kept"
    )
    told = [
        f"{wording.count(n_images['train'])} training radiographs",
        f"{wording.count(n_images['validation'])} validation radiographs",
        "cross-entropy",
        f"stochastic gradient descent with momentum {recipe['momentum']:g}",
        rate,
        decay,
        f"batches of {recipe['batch_images']}",
        f"{_TRAINABLE[recipe['trainable']]} trained",
        _augmentation(recipe),
        epochs,
        *_averaging(recipe),
        f"seed {recipe['seed']}",
    ]
    return f"{training_title(record['stage'].replace('.', '_'))}: {'; '.join(told)}."


def _averaging(recipe: Mapping[str, Any]) -> list[str]:
    share = recipe.get("averaging", 0)
    if not share:
        return []
    return [f"weights averaged over epochs, {share:g} of the mean kept at each"]


def _augmentation(recipe: Mapping[str, Any]) -> str:
    mirrored = "mirroring, " if recipe["flip"] else ""
    return (
        f"augmented by {mirrored}rotation up to {recipe['rotation_degrees']:g}° and "
        f"crops up to {100 * recipe['crop_share']:g} %"
    )


def _listed(words: Any) -> str:
    return ", ".join(map(str, words))
