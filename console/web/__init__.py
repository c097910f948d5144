"""The door to services that speak HTTP: one client, its limits, its login and its faults."""
