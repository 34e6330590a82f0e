"""What is believed: data as the likelihood sees them, priors, and the algebra of the two-level normal model.

Nothing here runs a chain or draws a picture. Importing it does not import PyMC; asking a builder for a model does.
"""
