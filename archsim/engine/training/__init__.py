"""Engines that train the network which lies on them: what is asked of them, how it lies there, a step."""
