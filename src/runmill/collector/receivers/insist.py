"""How a receiver that gathers by itself hands on: again and again until what it has is safe.

Nobody upstream of it could send again, so it waits, holds what it has, and reads nothing further meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from runmill.collector.component import Batch, Consumer
from runmill.errors import Refused, Rejected

__all__ = ["Sleep", "insist"]

_FIRST_PAUSE_SECONDS: Final = 0.1
_MOST_PAUSE_SECONDS: Final = 10.0

Sleep = Callable[[float], Awaitable[None]]


async def insist(consumer: Consumer, batch: Batch, *, sleep: Sleep = asyncio.sleep) -> bool:
    """Return True once *batch* is safe, False when it never will be (whoever rejected it has counted it).

    While it is refused: wait as long as was asked for, else longer and longer. Ends early only by cancellation; then
    nobody knows whether the batch is safe, and the same batch has to be handed on again.
    """
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            await consumer.consume(batch)
        except Refused as error:
            asked = error.retry_after_seconds
        except Rejected:
            return False
        else:
            return True
        await sleep(min(pause if asked is None else asked, _MOST_PAUSE_SECONDS))
        pause = min(pause * 2, _MOST_PAUSE_SECONDS)
