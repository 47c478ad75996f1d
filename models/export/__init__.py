"""Networks for other programs: OpenVINO, ONNX, TorchScript, eight bits."""
