"""The five sleep stages of the AASM, what EDF+ annotations call them, and the pages of a night."""

PAGE_SECONDS = 30
CLASS_NAMES = ("W", "N1", "N2", "N3", "REM")
STAGES = {
    "Sleep stage W": 0,
    "Sleep stage 1": 1,
    "Sleep stage 2": 2,
    "Sleep stage 3": 3,
    "Sleep stage 4": 3,  # of the older rules, by which Sleep-EDF is scored
    "Sleep stage R": 4,
    # As the AASM itself has it, in files of other programs.
    "Sleep stage N1": 1,
    "Sleep stage N2": 2,
    "Sleep stage N3": 3,
}
