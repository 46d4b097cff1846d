"""The services, and what is asked of them here."""

from tests.services.fixtures import cluster as cluster
from tests.services.fixtures import redis_server as redis_server
from tests.services.fixtures import redis_url as redis_url
