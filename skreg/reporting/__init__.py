"""The self-contained page about a comparison of models: `skreg.report`."""
