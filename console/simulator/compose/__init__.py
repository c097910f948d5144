"""A small stand-in for docker-compose, for rehearsals on machines that have none."""
