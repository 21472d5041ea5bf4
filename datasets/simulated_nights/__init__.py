"""Simulated nights of sleep, in files like those of MASS and Sleep-EDF.

They are for rehearsals: loaders, methods and figures run from such files where the real ones, which
are asked for or downloaded, are missing. What is learned from them says nothing about sleep.

A night goes through the files of this folder so: ``hypnograms`` (its pages) -> ``stages`` (how much
of each stage holds in each second) -> ``rhythms`` and ``events`` (what the brain produces) ->
``head`` (what the electrodes see of it) -> ``signals`` -> ``layouts`` and ``edf`` (its two files).
``folder`` writes night after night.

**Spectra.** The microvolts in the table of rhythms are fitted to DREAMS Spindles, real EEG of 8
people at Cz or C3 against an ear. Of each stage W, N1, N2 and N3: the median spectrum over pages of
20 s of that stage alone, and the geometric mean over people, in 11 bands from 0.5 to 24 Hz. Each
rhythm's microvolts were then scaled in ten rounds by what its bands lacked, with alpha in N1 to N3
set by hand, because one channel at Cz cannot tell it from other rhythms. For the average person the
root mean square of the difference between the logarithms of the powers is .15 in W, .19 in N1, .18
in N2 and .17 in N3 (.2 is a fifth of the power). REM is almost absent there: it is N1 with 5 % more
theta, and 10 % less delta, 35 % less alpha, 25 % less sigma and 5 % less beta power.

**How hard.** Logarithms of the powers in five bands (0.5, 4, 8, 12, 16, 30 Hz) of each channel, a
logistic regression with balanced classes, 5 folds by person, 20 people with a night of 8 hours
each, stages from the real hypnograms, read from the files by MNE:

    layout     balanced accuracy (folds)   recall of W, N1, N2, N3, REM
    sleep-edf  .70 (.68 to .74)            .77 .49 .71 .80 .71
    mass       .71 (.69 to .72)            .83 .57 .65 .76 .71

What makes it hard are pages that look in part like another stage, stages that do not begin at the
edge of a page, and the differences between people. One number was chosen with the result in view:
up to all of a page may look like another stage; with up to .8 of it the classifier had about .03
more. Shares of power in place of powers give .70 and .74. Real nights give .63 to .73 to a linear
discriminant on such features; these give .66 (sleep-edf) and .70 (mass).

**Cost.** A night of 8 hours with 9 channels at 256 Hz takes 3.5 s on one core (133 MB), one of
Sleep-EDF 1 s (17 MB). The memory needed does not depend on the length.
"""
