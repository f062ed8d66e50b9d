"""``completion``: the script that teaches a shell to complete verbs, options and FAMILY/PROTOCOL."""

from __future__ import annotations

import click


@click.command(
    short_help="Completion for a shell.",
    epilog="""\b
Examples:
  eval "$(sockexplorer completion bash)"           in ~/.bashrc
  eval "$(sockexplorer completion zsh)"            in ~/.zshrc
  sockexplorer completion fish > ~/.config/fish/completions/sockexplorer.fish
""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell."""
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    assert completion is not None
    script = completion(ctx.find_root().command, {}, "sockexplorer", "_SOCKEXPLORER_COMPLETE")
    # Not source(): for bash it would start one to ask for its version.
    click.echo(script.source_template % script.source_vars())
