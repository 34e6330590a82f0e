"""A model, its exact posterior, draws by each engine, and what comparing them says."""
