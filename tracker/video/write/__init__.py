"""Write annotated videos and images, with the sound of the source and the mark of posetrack."""
