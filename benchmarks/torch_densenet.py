"""DenseNet121 (Huang et al., CVPR 2017) in plain PyTorch, to measure ours against.

Its tensors have torchvision's names, so that a file of its weights is one of those that
`weights/imported_weights.py` reads.
"""

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional

BLOCKS = (6, 12, 24, 16)
GROWTH_RATE = 32
INITIAL_FILTERS = 64
BOTTLENECK = 4


class DenseLayer(nn.Module):
    """One layer of a block: its input, and behind it the channels that it adds."""

    def __init__(self, width):
        """Prepare the layer for `width` channels."""
        super().__init__()
        self.norm1 = nn.BatchNorm2d(width)
        self.conv1 = nn.Conv2d(width, BOTTLENECK * GROWTH_RATE, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(BOTTLENECK * GROWTH_RATE)
        self.conv2 = nn.Conv2d(
            BOTTLENECK * GROWTH_RATE, GROWTH_RATE, 3, padding=1, bias=False
        )

    def forward(self, x):
        """Return (n, width + GROWTH_RATE, y, x) for (n, width, y, x)."""
        new = self.conv1(functional.relu(self.norm1(x)))
        new = self.conv2(functional.relu(self.norm2(new)))
        return torch.cat([x, new], 1)


class DenseNet121(nn.Module):
    """Images (n, channels, y, x) -> log odds (n, labels)."""

    def __init__(self, n_channels, n_labels):
        """Draw the weights."""
        super().__init__()
        layers = OrderedDict(
            conv0=nn.Conv2d(n_channels, INITIAL_FILTERS, 7, 2, padding=3, bias=False),
            norm0=nn.BatchNorm2d(INITIAL_FILTERS),
            relu0=nn.ReLU(),
            pool0=nn.MaxPool2d(3, 2, padding=1),
        )
        width = INITIAL_FILTERS
        for number, n_layers in enumerate(BLOCKS, start=1):
            block = OrderedDict()
            for layer in range(1, n_layers + 1):
                block[f"denselayer{layer}"] = DenseLayer(width)
                width += GROWTH_RATE
            layers[f"denseblock{number}"] = nn.Sequential(block)
            if number < len(BLOCKS):
                layers[f"transition{number}"] = transition(width)
                width //= 2
        layers["norm5"] = nn.BatchNorm2d(width)
        layers["relu5"] = nn.ReLU()
        self.features = nn.Sequential(layers)
        self.classifier = nn.Linear(width, n_labels)

    def forward(self, images):
        """Return the log odds."""
        return self.classifier(self.features(images).mean((2, 3)))


def transition(width):
    """Return what halves the channels, the height and the width between two blocks."""
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(width),
            relu=nn.ReLU(),
            conv=nn.Conv2d(width, width // 2, 1, bias=False),
            pool=nn.AvgPool2d(2, 2),
        )
    )
