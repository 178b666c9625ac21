"""Bulk work on several machines: Ray Data starts and restarts the workers, each of which reads, works and writes."""

from healthcert.batch.cluster.engine import Cluster
from healthcert.batch.cluster.run import ClusterRun
from healthcert.batch.cluster.secrets import MachineSecrets
from healthcert.batch.cluster.spans import row_groups
from healthcert.batch.cluster.work import Task

__all__ = ["Cluster", "ClusterRun", "MachineSecrets", "Task", "row_groups"]
