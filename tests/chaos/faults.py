"""What can go wrong with a service, as things to be done to an arena. Each leaves it able to go on."""

import random
import signal
from collections.abc import Callable
from contextlib import suppress

from redis import RedisError

from tests.chaos.arena import LEASE_SECONDS, Arena, kill, pause
from workers.celery_app import QUEUE_NAMES, TASK

Fault = Callable[[Arena, random.Random], None]


def kill_process(arena: Arena, draw: random.Random) -> None:
    """Kill -9 a process in the middle of a unit."""
    if children := arena.children():
        kill(draw.choice(children), signal.SIGKILL)


def kill_worker(arena: Arena, draw: random.Random) -> None:
    """Kill -9 a worker with all of its processes."""
    arena.restart_worker(draw.randrange(len(arena.workers)))


def kill_worker_parent(arena: Arena, draw: random.Random) -> None:
    """Kill -9 only the parent of a worker's processes."""
    worker = draw.choice(arena.workers)
    kill(worker.pid, signal.SIGKILL)
    pause(draw.uniform(0.1, 0.5))
    arena.restart_worker(arena.workers.index(worker))


def kill_coordinator(arena: Arena, _draw: random.Random) -> None:
    """Kill -9 the coordinator."""
    arena.restart_coordinator()


def stop_coordinator(arena: Arena, draw: random.Random) -> None:
    """SIGSTOP the coordinator for a while."""
    arena.coordinator.pause()
    pause(draw.uniform(0.2, 1.0))
    arena.coordinator.resume()


def kill_redis(arena: Arena, draw: random.Random) -> None:
    """Kill -9 Redis; it comes back with its data."""
    arena.redis.kill()
    pause(draw.uniform(0.0, 0.5))
    arena.redis.restart()


def lose_redis(arena: Arena, draw: random.Random) -> None:
    """Kill -9 Redis; it comes back empty."""
    arena.redis.kill()
    pause(draw.uniform(0.0, 0.5))
    arena.redis.restart(keep_data=False)


def freeze_redis(arena: Arena, draw: random.Random) -> None:
    """SIGSTOP Redis for a while."""
    arena.redis.pause()
    pause(draw.uniform(0.1, 0.8))
    arena.redis.resume()


def kill_postgres(arena: Arena, draw: random.Random) -> None:
    """Kill -9 PostgreSQL."""
    arena.cluster.kill()
    pause(draw.uniform(0.0, 0.5))
    arena.cluster.restart()


def restart_postgres(arena: Arena, draw: random.Random) -> None:
    """Stop PostgreSQL in an orderly way, and start it again."""
    arena.cluster.stop()
    pause(draw.uniform(0.0, 0.5))
    arena.cluster.start()


def stop_postgres_for_longer(arena: Arena, draw: random.Random) -> None:
    """Stop PostgreSQL for longer than a unit takes, so that results are spooled."""
    arena.cluster.stop()
    pause(draw.uniform(1.5, 3.0))
    arena.cluster.start()


def fill_spool(arena: Arena, draw: random.Random) -> None:
    """Leave no room for the spool while PostgreSQL is stopped: results are given up, and their units done again."""
    with arena.full_spool():
        stop_postgres_for_longer(arena, draw)


def outstay_a_lease(arena: Arena, draw: random.Random) -> None:
    """SIGSTOP a process for longer than its lease; then it goes on as if nothing had been."""
    children = arena.children()
    if not children:
        return
    child = draw.choice(children)
    if kill(child, signal.SIGSTOP):
        pause(LEASE_SECONDS + 1.0)
        kill(child, signal.SIGCONT)


def repeat_messages(arena: Arena, draw: random.Random) -> None:
    """Send messages that nobody asked for: to whoever takes them there is nothing, or another's unit, to be had."""
    with suppress(Exception):
        for _ in range(draw.randrange(10, 60)):
            arena.app.send_task(TASK, queue=QUEUE_NAMES["units"], retry=False, ignore_result=True)


def delay_messages(arena: Arena, draw: random.Random) -> None:
    """Take messages out of the queue and put them back later, in another order, some of them twice."""
    client, key = arena.messages()
    with suppress(RedisError):
        taken = [message for _ in range(8) if isinstance(message := client.lpop(key), bytes)]
        pause(draw.uniform(0.5, 2.0))
        draw.shuffle(taken)
        for message in [*taken, *taken[:2]]:
            client.rpush(key, message)
    client.close()


def lose_messages(arena: Arena, _draw: random.Random) -> None:
    """Empty the queue."""
    client, key = arena.messages()
    with suppress(RedisError):
        client.delete(key)
    client.close()


# With how often each is drawn, against the others.
FAULTS: dict[Fault, int] = {
    kill_process: 6,
    kill_worker: 1,
    kill_worker_parent: 1,
    kill_coordinator: 3,
    stop_coordinator: 1,
    kill_redis: 2,
    lose_redis: 2,
    freeze_redis: 1,
    kill_postgres: 2,
    restart_postgres: 2,
    stop_postgres_for_longer: 1,
    fill_spool: 1,
    outstay_a_lease: 1,
    repeat_messages: 3,
    delay_messages: 2,
    lose_messages: 2,
}


def faults_in_order(number: int, draw: random.Random) -> list[Fault]:
    """So many faults: every kind once, as far as they go, and then drawn by weight, in a random order."""
    kinds = list(FAULTS)
    chosen = kinds[:number] + draw.choices(kinds, [FAULTS[kind] for kind in kinds], k=max(0, number - len(kinds)))
    draw.shuffle(chosen)
    return chosen
