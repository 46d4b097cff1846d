"""The fleet of Celery workers: a message says that there is work, and nothing else."""

from collections import Counter
from collections.abc import Mapping

import structlog
from celery import Celery
from kombu import Connection, Queue
from kombu.exceptions import OperationalError

from fuzzer.campaign.protocols import UnitKind
from workers.celery_app import QUEUES, TASK

log = structlog.get_logger()

MOST_SENT_AT_ONCE = 2000


class CeleryFleet:
    """Keeps as many messages waiting in each queue as there are units to be had.

    Whoever takes a message looks into the database for the unit that is due. So messages that were lost are missed at
    the next tick, those that come twice find nothing, and they never pile up. A broker that is not there is told later.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app

    def hint(self, ready: Mapping[UnitKind, int]) -> int:
        """Send what is missing; how many messages."""
        wanted: Counter[str] = Counter()
        for kind, number in ready.items():
            wanted[QUEUES[kind]] += number
        sent = 0
        try:
            for queue, number in wanted.items():
                sent += self._top_up(queue, number)
        except (OperationalError, OSError) as error:
            log.warning("the broker cannot be told", error=str(error))
        return sent

    def _top_up(self, queue: str, wanted: int) -> int:
        with self._app.connection_or_acquire() as connection:
            missing = min(wanted - count_waiting(connection, queue), MOST_SENT_AT_ONCE)
        if missing > 0:
            with self._app.producer_or_acquire() as producer:
                for _ in range(missing):
                    self._app.send_task(TASK, queue=queue, producer=producer, retry=False, ignore_result=True)
        return max(0, missing)


def count_waiting(connection: Connection, queue: str) -> int:
    """How many messages nobody has taken yet."""
    declared = Queue(queue, routing_key=queue).bind(connection.default_channel).queue_declare()
    return int(declared.message_count)
