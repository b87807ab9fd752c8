"""Do imported weights compute what PyTorch computes? Every stage side by side.

A DenseNet121 of PyTorch that has seen one batch of noise is written to a file and read
into our network; then both look at the same images. For each stage the largest
difference of any activation is printed, beside the largest activation. With
`--weights` the file is your own.

    python benchmarks/imported_weights.py [--weights FILE] [--size 224] [--images 4]

Needs PyTorch: pip install -e '.[benchmarks]'.
"""

import argparse
import tempfile
from pathlib import Path

import keras
import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch_densenet import BLOCKS, GROWTH_RATE, INITIAL_FILTERS, DenseNet121

from covid_cxr.training.network import Network, build_classifier

# PyTorch's stage and our layer; behind each block stands what it hands on.
STAGES = {
    "conv0": "conv1_conv",
    "relu0": "conv1_relu",
    "pool0": "pool1",
    "denseblock1": "conv2_block6_concat",
    "transition1": "pool2_pool",
    "denseblock2": "conv3_block12_concat",
    "transition2": "pool3_pool",
    "denseblock3": "conv4_block24_concat",
    "transition3": "pool4_pool",
    "denseblock4": "conv5_block16_concat",
    "relu5": "relu",
}
TOLERANCE = 1e-4  # of the largest activation of a stage


def main():
    """Print one line per stage; fail if one differs by more than rounding."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--weights", type=Path, help="a .safetensors file")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--images", type=int, default=4)
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    shape = (options.images, options.size, options.size)
    images = rng.normal(size=shape).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        file = options.weights or drawn_weights(Path(folder) / "drawn.safetensors")
        theirs = activations_in_pytorch(file, images)
        ours = activations_here(file, images)
    worst = max(print_stage(stage, ours[stage], theirs[stage]) for stage in STAGES)
    if worst > TOLERANCE:
        raise SystemExit(f"differs by {worst:.1e}, more than {TOLERANCE:.0e}")


def drawn_weights(file):
    """Write a DenseNet121 whose every tensor was drawn or comes from a batch."""
    torch.manual_seed(1)
    model = DenseNet121(3, 14).train()
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0  # the batch's statistics become the moving averages
            layer.weight.data.uniform_(0.5, 1.5)
            layer.bias.data.normal_(0, 0.2)
    with torch.no_grad():
        model(torch.randn(8, 3, 128, 128))
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    save_file(tensors, file)
    return file


def activations_in_pytorch(file, images):
    """Return the output of each stage, (n, y, x, channels)."""
    tensors = {
        name: torch.from_numpy(array)
        for name, array in load_file(file).items()
        if name.startswith("features.")
    }
    n_channels = tensors["features.conv0.weight"].shape[1]
    model = DenseNet121(n_channels, 1).eval()
    model.load_state_dict(tensors, strict=False)
    x = torch.from_numpy(images)[:, None].repeat(1, n_channels, 1, 1)
    outputs = {}
    with torch.inference_mode():
        for name, layer in model.features.named_children():
            x = layer(x)
            outputs[name] = x.numpy().transpose(0, 2, 3, 1)
    return outputs


def activations_here(file, images):
    """Return the output of each stage, (n, y, x, channels)."""
    network = Network(
        size_px=images.shape[1],
        blocks=list(BLOCKS),
        growth_rate=GROWTH_RATE,
        initial_filters=INITIAL_FILTERS,
        batch_norm_momentum=0.99,
        weights=str(file),
        seed=1,
    )
    classifier = build_classifier(network, 1)
    outputs = [classifier.get_layer(layer).output for layer in STAGES.values()]
    stages = keras.Model(classifier.input, outputs)(images[..., None], training=False)
    return dict(zip(STAGES, map(keras.ops.convert_to_numpy, stages), strict=True))


def print_stage(stage, ours, theirs):
    """Print a line; return the largest difference by the largest activation."""
    difference, largest = np.abs(ours - theirs).max(), np.abs(theirs).max()
    print(
        f"{stage:12s} {theirs.shape!s:22s} largest {largest:9.3f}   "
        f"difference {difference:.1e}   ratio {difference / largest:.1e}"
    )
    return difference / largest


if __name__ == "__main__":
    main()
