"""The rehearsed hub: repositories of model files, served as huggingface.co serves them.

Two origins on loopback, as in real life: the hub, which knows repositories, revisions and who may
see them, and the place where large files lie, which knows signed addresses only.
"""
