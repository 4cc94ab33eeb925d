"""Training: data sets, augmentation, the loop, schedules, evaluation.

What belongs here: all steps from a folder of pictures to a trained network. What does not: the
optimisers' mathematics (`ascent.optimizers`), pictures of what happened (`report.curves`,
`report.confusion`, `report.augmented`), and the recipe of one particular training, such as
`weights/train_shipped.py`.

=================  =================================================================================
``fit``            train a network: an iterator of epochs
``evaluate``       loss, top-1, top-5 and confusions of a network on labelled images
``data``           folders, packs, arrays, digits, MNIST, CIFAR-10, drawn shapes
``augment``        variations of images that keep their class
``schedules``      the learning rate over the course of training
``losses``         the loss and its gradient at the scores
``shapes``         the drawn data set
``batch_norm``     batch norms put in before training and folded away after it
``head``           a trained network for other classes (transfer learning)
``checkpoint``     the state of training in a file
``snapshots``      the network as it was after chosen epochs, each in a file
``ahead``          batches made ready in another thread
``loop``           the loop itself, and one step of it
``evaluation``     what `evaluate` and `accuracy` compute, and the checks of data
=================  =================================================================================

    from minicnn import models, train
    training, validation = train.data.find("shapes")
    net = models.minivgg(classes=10).initialize(seed=0)
    for epoch in train.fit(net, training, 5, train.SGD(0.02, 0.9), validation=validation):
        print(epoch)
"""

from minicnn.ascent.optimizers import SGD, Adam, AdamW, RMSprop
from minicnn.rooms import offered
from minicnn.train import augment, batch_norm, data, head, schedules, snapshots
from minicnn.train.data import Data
from minicnn.train.evaluation import Evaluation, accuracy, evaluate
from minicnn.train.loop import Epoch, epochs, fit, train_step
from minicnn.train.schedules import one_cycle

__all__ = ["SGD", "Adam", "AdamW", "Data", "Epoch", "Evaluation", "RMSprop", "accuracy",
           "augment", "batch_norm", "data", "epochs", "evaluate", "fit", "head", "one_cycle",
           "schedules", "snapshots", "train_step"]
__getattr__, __dir__ = offered(__name__)
