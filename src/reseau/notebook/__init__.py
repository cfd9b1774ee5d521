"""What notebooks show: HTML without scripts or styles of its own, with pictures in SVG, on light and on dark ground."""
