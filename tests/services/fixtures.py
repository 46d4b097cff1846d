"""One PostgreSQL and one Redis for the whole session, for the conftest files that import them.

    from tests.services.fixtures import cluster as cluster

They are shared by all tests: who stops, kills or freezes a server has one of their own, from `running_cluster()` or
`running_redis()`.
"""

from contextlib import ExitStack

import pytest

from tests.services.postgres import Cluster, running_cluster
from tests.services.redis import RedisServer, running_redis

# A fixture belongs to each conftest that imports it; what it has started belongs to the session.
_CLUSTER = pytest.StashKey[Cluster]()
_REDIS = pytest.StashKey[RedisServer]()


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Cluster:
    """A PostgreSQL server that lets everybody in; `new_database()` is for one test alone."""
    if _CLUSTER not in pytestconfig.stash:
        with ExitStack() as stack:
            pytestconfig.stash[_CLUSTER] = stack.enter_context(running_cluster())
            pytestconfig.add_cleanup(stack.pop_all().close)
    return pytestconfig.stash[_CLUSTER]


@pytest.fixture(scope="session")
def redis_server(pytestconfig: pytest.Config) -> RedisServer:
    """A Redis server; it keeps what other tests left there."""
    if _REDIS not in pytestconfig.stash:
        with ExitStack() as stack:
            pytestconfig.stash[_REDIS] = stack.enter_context(running_redis())
            pytestconfig.add_cleanup(stack.pop_all().close)
    return pytestconfig.stash[_REDIS]


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of an empty Redis, as long as the test runs."""
    redis_server.empty()
    return redis_server.url()
