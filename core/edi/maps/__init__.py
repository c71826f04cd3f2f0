"""Our own X12 maps: a compact table, the program that writes pyx12's XML from it, and that XML."""
