"""The broker that the settings name, and the packages that are needed to reach it."""

from importlib import metadata

from cli.errors import InfrastructureTrouble, UsageMistake
from cli.settings import BROKER_VARIABLE

SERVICE_PACKAGES = ("celery", "kombu", "redis", "prometheus-client")
INSTALL_SERVICE = "pip install 'mmfuzz[service]'"


def require_broker(broker: str | None) -> str:
    """The URL of the broker, which may or may not be there. UsageMistake where none was named, or not by a URL."""
    if broker is None:
        raise UsageMistake(f"no broker was named: give --broker redis://HOST:PORT/DB or set {BROKER_VARIABLE}")
    missing = missing_service_packages()
    if missing:
        raise InfrastructureTrouble(f"packages of the service are missing: {', '.join(missing)}; {INSTALL_SERVICE}")
    from workers.broker import BadBrokerUrlError, check_url

    try:
        check_url(broker)
    except BadBrokerUrlError as error:
        raise UsageMistake(str(error)) from error
    return broker


def require_answering_broker(broker: str | None) -> str:
    """The URL of the broker, which answers. InfrastructureTrouble where it does not."""
    url = require_broker(broker)
    from workers.broker import BrokerError, check_broker

    try:
        check_broker(url)
    except BrokerError as error:
        raise InfrastructureTrouble(str(error)) from error
    return url


def missing_service_packages() -> list[str]:
    """What of the service extra is not installed."""
    return [name for name in SERVICE_PACKAGES if not any(metadata.distributions(name=name))]
