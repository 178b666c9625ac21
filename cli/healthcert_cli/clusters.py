"""A bulk run on a cluster, at the command line: its options, and what it asks of inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from msgspec.structs import replace

from healthcert.authority.profile import open_authority
from healthcert.authority.profile_tables import Profile
from healthcert.batch.sinks import Form
from healthcert.batch.verifying import VerifierPlan

if TYPE_CHECKING:  # Ray and what it brings is for those who use it
    from healthcert.batch.cluster import MachineSecrets


def cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--engine`` and ``--ray-address``, handed to the command as ``cluster``: None for the local engine."""

    @wraps(command)
    def run(engine: str, ray_address: str | None, **given: Any) -> Any:
        if engine == "local":
            if ray_address is not None:
                raise click.UsageError("--ray-address is of --engine ray")
            return command(cluster=None, **given)
        from healthcert.batch.cluster import Cluster

        source = click.get_current_context().get_parameter_source("workers")
        workers = None if source is ParameterSource.DEFAULT else given["workers"]
        return command(cluster=Cluster(address=ray_address, workers=workers), **given)

    wrapped: Callable[..., Any] = run
    for option in (
        click.option(
            "--ray-address",
            metavar="ADDRESS",
            help="A cluster of Ray that runs: auto on one of its machines, or HOST:PORT. [default: one on this machine "
            "that ends with the run]",
        ),
        click.option(
            "--engine",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            help="What does the work: processes here, or a cluster of Ray, from Parquet to Parquet, with a worker on "
            "each core.",
        ),
    ):
        wrapped = option(wrapped)
    return wrapped


def check_tables(sources: tuple[str, ...], form: Form, rejects: Path | None) -> None:
    """Wrong usage where a cluster would have to read or write anything but tables in Parquet."""
    if form is not Form.PARQUET or not all(source.rstrip("/").endswith(".parquet") for source in sources):
        raise click.UsageError("--engine ray goes from Parquet to Parquet: NAME.parquet for every FILE and for --out")
    if rejects is not None:
        raise click.UsageError("--engine ray writes rejected rows to a table beside --out: NAME.rejects.parquet")


def secrets_of_machines(profile: Profile, passphrase_file: Path | None, pin_file: Path | None) -> MachineSecrets:
    """What opens the keys of a profile on every machine: it does here and now, so that a wrong PIN is tried once.

    Raises as :func:`open_authority`.
    """
    from healthcert.batch.cluster import MachineSecrets

    secrets = MachineSecrets(
        passphrase_file=passphrase_file and passphrase_file.absolute(), pin_file=pin_file and pin_file.absolute()
    )
    open_authority(profile, secrets).register.close()
    return secrets


def on_every_machine(plan: VerifierPlan) -> VerifierPlan:
    """The same verifier for processes that were started in other folders."""
    return replace(
        plan,
        trust=tuple(path.absolute() for path in plan.trust),
        revocation=plan.revocation and plan.revocation.absolute(),
        rules=plan.rules and plan.rules.absolute(),
    )
