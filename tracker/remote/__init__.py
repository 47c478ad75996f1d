"""Files of object stores and servers: listed, fetched and put as whole files, by fsspec."""
