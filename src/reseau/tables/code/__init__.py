"""Table models in other languages: their columns in C, NumPy and ONNX, and rows that try them out."""
