"""The Celery application: how hints of units travel over Redis, and how processes that execute them are run.

The database is the truth and the broker only hints, so everything here may be lost or repeated. Settings that matter,
and why they are not Celery's own:
- JSON only, no result backend: nothing that comes over the broker is ever unpickled, and results go to the database.
- A task is acknowledged when it ends (acks_late), whatever came of it: the coordinator offers a lost unit again, by the
  database's leases, so the broker's own redelivery is only a repetition that finds nothing to claim.
- A message says that there is work, not which: whoever takes it looks for the unit that is due, so that no queue has to
  wait for another. One at a time (no prefetch): a worker must not sit on hints that others could serve.
- The visibility timeout is far above the hard time limit, and set in all three places Celery reads it from.
"""

from dataclasses import dataclass

from celery import Celery
from kombu import Queue

QUEUES = {"fuzz": "mmfuzz.units", "canary": "mmfuzz.units", "minimize": "mmfuzz.minimize"}
# Units on real kernels have a queue of their own; nobody fills it before there is a target for them.
QUEUE_NAMES = {"units": "mmfuzz.units", "minimize": "mmfuzz.minimize", "qemu": "mmfuzz.qemu"}
TASK = "mmfuzz.unit"

HARD_LIMIT_SECONDS = 660
MEMORY_PER_CHILD_KB = 400_000
TASKS_PER_CHILD = 2_000
SOFT_SHUTDOWN_SECONDS = 15
KEY_PREFIX = "mmfuzz:"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process of a worker may use: seconds for one unit, kB of memory, units before it is replaced."""

    hard_seconds: int = HARD_LIMIT_SECONDS
    memory_kb: int = MEMORY_PER_CHILD_KB
    units: int = TASKS_PER_CHILD

    @property
    def visibility_seconds(self) -> int:
        """After how long Redis gives an unacknowledged message out again: long after its worker was killed."""
        return 10 * self.hard_seconds


def make_app(broker_url: str, limits: Limits = Limits()) -> Celery:
    """The application on a broker."""
    app = Celery("mmfuzz", broker=broker_url, set_as_current=False)
    app.conf.update(
        result_backend=None,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        event_serializer="json",
        task_acks_late=True,
        task_acks_on_failure=True,
        task_acks_on_timeout=True,
        task_reject_on_worker_lost=False,
        task_time_limit=limits.hard_seconds,
        task_store_errors_even_if_ignored=False,
        task_queues=[Queue(name, routing_key=name) for name in QUEUE_NAMES.values()],
        task_default_queue=QUEUE_NAMES["units"],
        task_create_missing_queues=False,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_max_tasks_per_child=limits.units,
        worker_max_memory_per_child=limits.memory_kb,
        worker_soft_shutdown_timeout=SOFT_SHUTDOWN_SECONDS,
        worker_enable_soft_shutdown_on_idle=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=True,
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options(limits),
        visibility_timeout=limits.visibility_seconds,
        result_backend_transport_options={"visibility_timeout": limits.visibility_seconds},
    )
    return app


def _transport_options(limits: Limits) -> dict[str, object]:
    return {
        "visibility_timeout": limits.visibility_seconds,
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 25,
        "global_keyprefix": KEY_PREFIX,
    }
