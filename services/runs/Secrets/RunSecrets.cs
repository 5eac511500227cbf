using System.Collections.Concurrent;
using System.Collections.Immutable;
using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Secrets;

/// <summary>
/// Resolves secrets for attempts, in the tenant and mode of their run. Before the first effect of a run all secrets that its workflow names
/// are known to its redactor, so that one that comes back by another node's way is recognized there too, also after a restart.
/// </summary>
internal sealed class RunSecrets(Func<Vault.VaultClient> vault)
{
    private const int MaxPerCall = 32;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Known> runs = new(StringComparer.Ordinal);

    /// <summary>Gives the attempt its secrets and its redactor; returns an error when a secret that it needs does not exist.</summary>
    /// <exception cref="RpcException">The vault cannot be asked.</exception>
    public async Task<NodeError?> OpenAsync(NodeContext context, CancellationToken cancellationToken)
    {
        if (context.RunSecretIds.IsEmpty)
            return null;

        var known = runs.GetOrAdd(context.RunId, static _ => new Known());
        context.Redactor = known.Redactor;
        string[] wanted = [.. context.SecretIds.Union(context.RunSecretIds.Where(id => !known.Asked.ContainsKey(id)), StringComparer.Ordinal)];
        var values = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var ids in wanted.Chunk(MaxPerCall))
        {
            var request = new ResolveSecretsRequest { Tenant = context.Tenant, Test = context.IsTest, SecretIds = { ids } };
            var reply = await vault().ResolveAsync(request, deadline: DateTime.UtcNow + Patience, cancellationToken: cancellationToken);
            foreach (var secret in reply.Secrets)
            {
                var value = secret.Value.ToStringUtf8();
                known.Redactor.Add(secret.SecretId, value);
                values[secret.SecretId] = value;
            }

            foreach (var id in ids)
                known.Asked[id] = true;
        }

        context.Secrets = values.ToImmutable();
        return context.RequiredSecretIds.FirstOrDefault(id => !context.Secrets.ContainsKey(id)) is { } missing ? Unavailable(missing) : null;
    }

    /// <summary>The run is not active any more: nothing of it stays in memory.</summary>
    public void Forget(string runId) => runs.TryRemove(runId, out _);

    /// <summary>A node needs a secret that there is not; nothing was executed.</summary>
    private static NodeError Unavailable(string secretId) => new(
        "credential_unavailable",
        "A secret that the node needs does not exist.",
        Retryable: false,
        NodeJson.Object(writer =>
        {
            writer.WriteString("capability", "secrets");
            writer.WriteString("requirement", secretId);
        }));

    private sealed class Known
    {
        public Redactor Redactor { get; } = new();

        public ConcurrentDictionary<string, bool> Asked { get; } = new(StringComparer.Ordinal);
    }
}
