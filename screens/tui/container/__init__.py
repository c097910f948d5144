"""One container on the whole screen: tabs, and the logs of one or several."""
