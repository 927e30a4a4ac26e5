"""A program for the interpreter that has the vendor's software, and how it is started."""
