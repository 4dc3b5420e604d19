"""function(): the one place that knows everything."""
