"""How long do the AUCs of six models on a million images take, beside plain DeLong?

    python benchmarks/auc_speed.py                 about two minutes, 3 GB
    python benchmarks/auc_speed.py --images 100000

Each estimate runs in a process of its own, so that its peak memory is its own. Beside
ours stands the vectorised NumPy DeLong that public repositories carry (mid-ranks by a
Python loop over ties, after Sun and Xu 2014), written here from the formula. Four
sizes, doubling, show how the time grows: O(n log n) doubles it a little more. Last, the
bootstrap of patients on a tenth of the images, beside a loop that copies the drawn
images and calls scikit-learn, extrapolated from a few replicates.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
from sklearn.metrics import roc_auc_score

from covid_cxr.statistics.auc import estimate_aucs
from covid_cxr.statistics.bootstrap import bootstrap_aucs

N_MODELS = 6
IMAGES_PER_PATIENT = 2.3
N_REPLICATES, N_COPIED = 2000, 5


def draw(n_images):
    """Return labels, scores and patients."""
    rng = np.random.default_rng(1)
    is_case = rng.random(n_images) < 0.24
    scores = rng.standard_normal((n_images, N_MODELS)) + is_case[:, np.newaxis]
    patients = rng.integers(0, int(n_images / IMAGES_PER_PATIENT), n_images)
    return is_case, scores, patients


def mid_ranks(values):
    """Return ranks from 1, with ties sharing their mean, by walking over the ties."""
    order = np.argsort(values)
    ordered = values[order]
    n = len(values)
    ranks = np.empty(n)
    i = 0
    while i < n:
        j = i
        while j < n and ordered[j] == ordered[i]:
            j += 1
        ranks[i:j] = 0.5 * (i + j - 1) + 1
        i = j
    found = np.empty(n)
    found[order] = ranks
    return found


def plain_delong(is_case, scores):
    """Return AUCs and their covariance from mid-ranks."""
    cases, controls = scores[is_case], scores[~is_case]
    m, n = len(cases), len(controls)
    v10, v01 = np.empty(cases.T.shape), np.empty(controls.T.shape)
    for k in range(scores.shape[1]):
        together = mid_ranks(np.r_[cases[:, k], controls[:, k]])
        v10[k] = (together[:m] - mid_ranks(cases[:, k])) / n
        v01[k] = 1 - (together[m:] - mid_ranks(controls[:, k])) / m
    return v10.mean(axis=1), np.cov(v10) / m + np.cov(v01) / n


def run(kind, n_images):
    """Print seconds, peak memory and the result of one estimate."""
    is_case, scores, patients = draw(n_images)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    if kind == "plain":
        auc, covariance = plain_delong(is_case, scores)
    else:
        cluster = patients if kind == "clustered" else None
        estimates = estimate_aucs(is_case, scores, cluster=cluster)
        auc, covariance = estimates.auc, estimates.covariance
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = {
        "seconds": seconds,
        "added_mb": (peak - before) / 1024,
        "auc": float(auc[0]),
        "error": float(np.sqrt(covariance[0, 0])),
    }
    print(json.dumps(result))


def measure(kind, n_images):
    """Return what a process of its own says."""
    command = [sys.executable, __file__, "--one", kind, "--images", str(n_images)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def compare_bootstraps(n_images):
    """Print the seconds of our bootstrap and of a loop of copies."""
    is_case, scores, patients = draw(n_images)
    started = time.perf_counter()
    bootstrap_aucs(is_case, scores, cluster=patients, n_replicates=N_REPLICATES, seed=1)
    ours = time.perf_counter() - started
    order = np.argsort(patients, kind="stable")
    images = np.split(order, np.cumsum(np.bincount(patients))[:-1])
    rng = np.random.default_rng(1)
    started = time.perf_counter()
    for _ in range(N_COPIED):
        drawn = rng.integers(0, len(images), len(images))
        rows = np.concatenate([images[k] for k in drawn])
        for model in scores.T:
            roc_auc_score(is_case[rows], model[rows])
    copies = (time.perf_counter() - started) / N_COPIED * N_REPLICATES
    print(
        f"\n{N_REPLICATES:,} replicates of {n_images:,} images: {ours:.1f} s; by copies"
        f" {copies:.0f} s, {copies / ours:.0f} times as long"
    )


def main():
    """Print the comparison, then the growth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--one", choices=["plain", "by image", "clustered"])
    arguments = parser.parse_args()
    if arguments.one:
        return run(arguments.one, arguments.images)
    n = arguments.images
    print(f"{N_MODELS} models, {n:,} images, {IMAGES_PER_PATIENT} images a patient\n")
    print("                      seconds   added MB      AUC   standard error")
    results = {kind: measure(kind, n) for kind in ("plain", "by image", "clustered")}
    for kind, found in results.items():
        print(
            f"{kind:18} {found['seconds']:10.2f} {found['added_mb']:10.0f}"
            f" {found['auc']:10.6f} {found['error']:12.3e}"
        )
    ratio = results["plain"]["seconds"] / results["by image"]["seconds"]
    print(f"\nby image is {ratio:.1f} times as fast as the plain one\n")
    print("images        by image   clustered   (seconds)")
    for size in (n // 8, n // 4, n // 2, n):
        by_image, clustered = (measure(k, size) for k in ("by image", "clustered"))
        print(f"{size:9,} {by_image['seconds']:11.2f} {clustered['seconds']:11.2f}")
    compare_bootstraps(n // 10)
    return None


if __name__ == "__main__":
    sys.exit(main())
