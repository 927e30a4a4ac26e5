"""Distrustful reading and exact writing of HDF5, for plugins that read formats of their own."""

from ._hdf5 import (
    MAX_BYTES as MAX_BYTES,
    build_image as build_image,
    checked_datasets as checked_datasets,
    has_signature as has_signature,
    open_hdf5 as open_hdf5,
    scalar_text as scalar_text,
)
