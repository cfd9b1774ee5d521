"""Models as files for other programs: C and its header (`c`), a NumPy script (`numpy_script`), ONNX (`onnx`)."""
