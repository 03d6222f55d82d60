"""Credit scorecard: from past debtors to points per attribute, and back out as rows of seeds.

mapping     which columns of a table are what, and which must never be used
binning     optimal bins, weight of evidence, information value
card        the scorecard itself: points, score, reasons; its file and its seed rows
training    logistic regression on weights of evidence
quality     how well it ranks and how well its probabilities hold, on data it did not see
command     `python -m analytics scorecard`
"""
