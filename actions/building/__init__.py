"""Building the image of a service whose compose file has a Dockerfile for it."""
