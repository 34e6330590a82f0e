"""The named cases as scripts of plain PyMC, to read and to paste; each builds its model when it is imported."""
