"""Events in the stream of features: steps, repetitions, raised hands, falls, and zones and lines."""
