"""Networks trained elsewhere, as Réseau's own: from ONNX files, scikit-learn, PyTorch and Keras."""
