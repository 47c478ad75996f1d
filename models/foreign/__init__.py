"""ONNX files of other projects: what a file says of itself, and which family of networks it belongs to."""
