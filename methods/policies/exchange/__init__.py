"""Policies from other software and for it: a table of their forms."""

from augbench.methods.policies.exchange import (
    albumentations,
    braindecode,
    kornia,
    level_tables,
    timm,
    torchvision,
)
from augbench.methods.policies.exchange.form import Form

FORMS: dict[str, Form] = {
    "autoaugment": level_tables.AUTOAUGMENT_FORM,
    "fast-autoaugment": level_tables.FAST_AUTOAUGMENT_FORM,
    "dada": level_tables.DADA_FORM,
    "torchvision": torchvision.FORM,
    "kornia": kornia.FORM,
    "albumentations": albumentations.FORM,
    "braindecode": braindecode.FORM,
    "timm": timm.FORM,
}
