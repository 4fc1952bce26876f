"""Answers about the past: is the log whole, do the tables agree with it, what happened to a record.

Everything here reads the stores and changes nothing, except that a folding nobody uses any more can
be dropped. What is asked of one record is answered by a *timeline*, of the log by a *verification*,
of the tables by a *comparison* of two foldings.
"""
