"""Models that are graphs of operations, of PyTorch and ONNX, walked to the layers that they are."""
