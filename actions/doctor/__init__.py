"""The doctor: checks of host, driver, engine, containers, services, models and the way in."""
