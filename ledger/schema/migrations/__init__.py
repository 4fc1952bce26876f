"""The history of both schemas: one folder for each line, one script for each revision.

A script states what it makes by itself and imports nothing of the program, so that it does the same
in ten years. Once released it is never changed. `revisions` lists what is here.
"""
