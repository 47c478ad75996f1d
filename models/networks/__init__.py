"""Networks: one file each; pure modules from tensors to tensors."""
