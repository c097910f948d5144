"""The door to the public addresses of services: asked as a stranger asks, never with a login."""
