"""Pictures on the screen: a widget that draws them off its thread, and screens that hold some."""
