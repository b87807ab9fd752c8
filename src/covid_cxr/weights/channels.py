"""One channel for three equal ones: how the first kernel is folded.

Weights are published for three channels; a radiograph has one. The network's input x
stands for three equal channels, so that its first convolution is

    sum over c of kernel_c * x  =  (sum over c of kernel_c) * x,

where * is the convolution with zeros beyond the edge, which is linear and the same in
every channel. So one kernel can do what three did, and only because the channels are
equal. Normalising each channel by its own mean, as ImageNet's networks were trained,
would add to each a constant that is absent from the padding, so no kernel for one
channel, with or without a bias, is equal at the image's edge.

The folded kernel is (sum over c of kernel_c) / sqrt(3), and takes sqrt(3) x. This is
the change to an orthonormal basis whose first direction is (1, 1, 1) / sqrt(3); the
input has no part in the others. Gradients, momentum and weight decay keep their form
under it, so every later step of the descent also equals that of the three channels;
the plain sum would learn three times as fast.

Kernels that are drawn stand for no others: they are drawn for the one channel, and the
input is taken as it is.
"""

import math

import numpy as np
from numpy.typing import NDArray

CHANNELS = 3
CHANNEL_SCALE = math.sqrt(CHANNELS)  # of the input that the folded kernel takes


def fold_channels(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the first kernel (y, x, 1, filters) for one (y, x, 3, filters).

    A kernel that was made for one channel is taken as three equal thirds of it.
    """
    total = kernel.sum(axis=2, keepdims=True, dtype=np.float64)
    return np.asarray(total / CHANNEL_SCALE, dtype=np.float32)
