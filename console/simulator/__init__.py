"""The rehearsal host: a simulated driver and engine that speak the real protocols."""
