"""``healthcert completion``: the script that makes a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    For bash: eval "$(healthcert completion bash)", best in ~/.bashrc.
    """
    completer = get_completion_class(shell)
    assert completer is not None
    root = ctx.find_root()
    click.echo(completer(root.command, {}, "healthcert", "_HEALTHCERT_COMPLETE").source())
