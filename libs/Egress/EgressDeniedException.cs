using System.Diagnostics.CodeAnalysis;

namespace OpenWop.Micro.Egress;

/// <summary>The policy forbids the request; nothing was sent.</summary>
[SuppressMessage("Design", "CA1032:Implement standard exception constructors", Justification = "Always carries the denial.")]
public sealed class EgressDeniedException(EgressDenial denial) : Exception(denial?.Reason)
{
    public EgressDenial Denial { get; } = denial ?? throw new ArgumentNullException(nameof(denial));
}
