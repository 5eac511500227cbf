using System.Diagnostics.CodeAnalysis;

namespace OpenWop.Micro.Cli;

/// <summary>Ends the tool with a sentence for people and a code for scripts.</summary>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "Always carries a code.")]
internal sealed class CliException(int exitCode, string message) : Exception(message)
{
    public int ExitCode => exitCode;
}
