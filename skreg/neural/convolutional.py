"""ConvClassifier and ConvRegressor."""

from __future__ import annotations

from ..estimators.parameters import with_parameters
from .classifier import NetworkClassifier
from .conv_base import ConvNetwork
from .regressor import NetworkRegressor


@with_parameters
class ConvClassifier(ConvNetwork, NetworkClassifier):
    """Convolutional network for classification of images, with every common way to regularise it.

    A convolution, an activation and a pooling, several times, and then a multilayer perceptron.
    Minimises over kernels, weights and biases what `MLPClassifier` does:

        weighted mean of the log-loss + sum_l alpha_l penalty(W_l)

    where the kernels of a convolution are one matrix W_l of shape (rows * columns * n_in, n_out),
    a column for each output channel: an L1 penalty makes single entries zero, `max_norm` bounds
    the norm of each kernel, `spectral_norm` the singular values of the matrix, which bound those of
    the convolution up to the root of the number of patches that see a pixel.

    X has images of shape (n, h, w) or (n, h, w, c), or a table with a row for each image, as
    scikit-learn's transformers and data frames have. Images of type uint8 stay as they are and
    become numbers from 0 to 1, that is ``X / 255``, when a batch of them is read. All other numbers
    are taken as they are, and best scaled to be of order one. A warning says where `fit` has bytes
    and `predict` has numbers far above 1, or the reverse. Sparse matrices and `RowBlocks` are
    refused.

    {parameters}

    Attributes
    ----------
    kernels_ : list of ndarray of shape (rows, columns, n_in, n_out)
        Of the convolutions: views of the first entries of `coefs_`.
    coefs_, intercepts_ : list of ndarray
        Matrices, of kernels first and then of dense layers, and biases.
    image_shape_ : tuple of int
        Rows, columns and channels of an image.
        The others are those of `MLPClassifier`.

    See Also
    --------
    ConvRegressor : The same for numbers.
    MLPClassifier : Describes the other attributes.

    Notes
    -----
    `normalization` is that of each channel, over a batch and all pixels ("batch"), or of each pixel
    over its channels ("layer"). `dropout` leaves out whole channels of an image after a
    convolution (Tompson et al., CVPR 2015), `input_dropout` single entries of X.
    `hidden_activations` gives images of shape (n, h, w, c) of a convolution, pooled and activated.
    The dense layers see one pixel after another, each with its channels.

    Nearly all of the time is that of BLAS. Where it has the kernels of a processor's AVX-512 a fit
    takes two thirds of the time that it takes with those of AVX2.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skreg import ConvClassifier
    >>> digits = load_digits()
    >>> X_train, X_test, y_train, y_test = train_test_split(
    ...     digits.images / 16, digits.target, random_state=0)
    >>> model = ConvClassifier((16, 32), kernel_size=3, max_iter=15, learning_rate_init=0.01,
    ...                        learning_rate="one_cycle", batch_size=64, random_state=0)
    >>> model.fit(X_train, y_train).score(X_test, y_test) > 0.97
    True
    >>> [kernel.shape for kernel in model.kernels_]
    [(3, 3, 1, 16), (3, 3, 16, 32)]
    """


@with_parameters
class ConvRegressor(ConvNetwork, NetworkRegressor):
    """Convolutional network for regression on images, with every common way to regularise it.

    Minimises over kernels, weights and biases

        weighted mean of the loss + sum_l alpha_l penalty(W_l)

    where the losses of several targets are added. It is `ConvClassifier`, which says what X may be
    and what all attributes are, with the losses of `MLPRegressor`.

    {parameters}

    Attributes
    ----------
    out_activation_ : {"identity", "exp"}
        The others are those of `ConvClassifier`, but for `classes_`.

    See Also
    --------
    ConvClassifier : Describes X and the attributes.
    MLPRegressor : The same without convolutions.

    Examples
    --------
    >>> import numpy as np
    >>> from skreg import ConvRegressor
    >>> waves = np.random.default_rng(0).normal(size=(300, 32))  # signals: images of one row
    >>> y = np.abs(waves[:, 1:] - waves[:, :-1]).mean(axis=1)
    >>> model = ConvRegressor(8, kernel_size=3, pooling="average", learning_rate_init=0.01,
    ...                       max_iter=60, learning_rate="one_cycle", random_state=0).fit(waves, y)
    >>> model.image_shape_, model.score(waves, y) > 0.7
    ((1, 32, 1), True)
    """
