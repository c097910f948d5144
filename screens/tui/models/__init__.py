"""The views of models: what to get, what is there, what is being fetched; and of jobs."""
