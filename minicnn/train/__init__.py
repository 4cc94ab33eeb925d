"""Training: data sets, augmentation, the loop, schedules.

What belongs here: all steps from a folder of pictures to a trained network. What does not: the
optimisers' mathematics (`ascent.optimizers`), and the recipe of one particular training, such as
`weights/train_minivgg.py`.

    from minicnn.train import SGD, epochs
    for epoch in epochs(net, images, labels, SGD(0.01, momentum=0.9), count=10, rate=0.01):
        print(epoch)
"""

from minicnn.ascent.optimizers import SGD, Adam
from minicnn.train import augment, batch_norm
from minicnn.train.loop import Epoch, accuracy, epochs, one_cycle, train_step

__all__ = ["SGD", "Adam", "Epoch", "accuracy", "augment", "batch_norm", "epochs", "one_cycle",
           "train_step"]
