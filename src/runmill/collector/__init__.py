"""One asyncio process that receives, gathers, processes and forwards, and answers only for what is safe."""
