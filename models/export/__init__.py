"""Export of networks to OpenVINO, ONNX and TorchScript, and int8 quantisation."""
