"""Augmentations of kornia and braindecode as transforms, by name."""
