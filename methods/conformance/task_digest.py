"""A digest of all that a task gives: what two builds have to share."""

from hashlib import sha256

from augbench.datasets.task import Task, fingerprint

MOST_FOLDS = 5  # that are looked at


def task_digest(task: Task) -> str:
    """Of the fingerprint, and of the examples, labels and order of the first folds."""
    digest = sha256(f"{task.fingerprint} {task.class_names} {task.n_folds}".encode())
    for number in range(min(task.n_folds, MOST_FOLDS)):
        views, test = task.fold(number)
        for split in (*views, test):
            digest.update(fingerprint(split.x, split.y).encode())
    return digest.hexdigest()
