"""Statistics of a benchmark: functions of arrays, each with its source; they know nothing of runs.

``paired`` and ``friedman`` test, ``aggregate`` and ``bootstrap`` estimate, ``time_to_target``,
``performance_profile`` and ``anytime`` score speed. Missing values are NaN, and a time that is
never reached is infinite. Where there are too few values a ``result`` says so in one sentence.
"""
