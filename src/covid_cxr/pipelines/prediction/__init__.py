"""New radiographs to what a bundle says of them, as `covid-cxr predict`."""
