"""The five sleep stages of the AASM, and what EDF+ annotations call them."""

CLASS_NAMES = ("W", "N1", "N2", "N3", "REM")
STAGES = {
    "Sleep stage W": 0,
    "Sleep stage 1": 1,
    "Sleep stage 2": 2,
    "Sleep stage 3": 3,
    "Sleep stage R": 4,
}
