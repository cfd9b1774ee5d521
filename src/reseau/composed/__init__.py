"""What scikit-learn builds around our estimators, as ONNX: skl2onnx writes what is its own, and we what it cannot."""
