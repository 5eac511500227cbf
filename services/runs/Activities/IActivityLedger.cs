using System.Text.Json;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Activities;

/// <summary>
/// The invocation log of one node (spec/http-core.md 6.2): every outside effect is claimed before it happens and its
/// result, failures included, is stored before it is used. A repeated call is answered from the store.
/// </summary>
public interface IActivityLedger
{
    /// <summary>
    /// Runs <paramref name="effect"/> unless its result is known. Ordinals are counted per node execution in call order;
    /// the identity is stable across retries and restarts and is handed to the effect as the provider's idempotency key.
    /// </summary>
    /// <param name="providerKey">Stable name of the operation, such as <c>http:POST</c>.</param>
    /// <param name="effect">Performs the call; gets the identity. Returns the result to store, or an error.</param>
    Task<ActivityResult> RunOnceAsync(
        string providerKey,
        Func<string, CancellationToken, Task<ActivityResult>> effect,
        CancellationToken cancellationToken);
}

/// <summary>Result of an activity: a value, or an error when <paramref name="Error"/> is set.</summary>
/// <param name="Value">JSON value; undefined for errors.</param>
/// <param name="Error">What went wrong.</param>
/// <param name="Settled">
/// True when the result is final: it is stored and returned to every later call with the same identity. False when the
/// effect certainly did not happen or may be tried again with the same identity (connection refused, 429, 5xx).
/// </param>
public sealed record ActivityResult(JsonElement Value, NodeError? Error, bool Settled);
