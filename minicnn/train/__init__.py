"""Training: data sets, augmentation, the loop, schedules.

What belongs here: what happens between a folder of pictures and a trained network. What does not:
the optimisers' mathematics (`ascent.optimizers`), and choosing what to train (a recipe, such as
`weights/train_minivgg.py`).
"""
