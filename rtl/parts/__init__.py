"""The parts that engines are described with: components, arithmetic, memories, descriptors, the skeleton."""
