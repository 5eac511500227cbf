using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenWop.Micro.Protocol.Errors;

namespace OpenWop.Micro.Gateway.TestSeams;

/// <summary>
/// What tests have toggled, tenant by tenant and in this process only: it decides what <see cref="SampleWorkflow"/> refuses. The discovery
/// document stays as it is, since everybody reads the same.
/// </summary>
internal sealed class CapabilityOverlay
{
    private const int MaxNames = 100;
    private const string Prefix = "capabilities.";

    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, bool>> _byTenant = new(StringComparer.Ordinal);

    /// <summary>Whether a capability has been switched off.</summary>
    /// <param name="name">Such as <c>agents.dispatchMapping</c>.</param>
    public bool IsOff(string tenant, string name) =>
        _byTenant.TryGetValue(tenant, out var overlay) && overlay.TryGetValue(name, out var value) && !value;

    /// <summary><c>{name, value: true | false | null}</c> or <c>{reset: true}</c>; returns what is toggled now.</summary>
    /// <exception cref="ProtocolException">The body is neither.</exception>
    public JsonObject Apply(string tenant, JsonElement body)
    {
        var overlay = _byTenant.GetOrAdd(tenant, _ => new(StringComparer.Ordinal));
        if (body.TryGetProperty("reset", out var reset) && reset.ValueKind == JsonValueKind.True)
            overlay.Clear();
        else
            Toggle(overlay, body);

        var toggled = new JsonObject();
        foreach (var (name, value) in overlay.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            toggled[name] = value;

        return toggled;
    }

    private static void Toggle(ConcurrentDictionary<string, bool> overlay, JsonElement body)
    {
        if (!body.TryGetProperty("name", out var given) || given.ValueKind != JsonValueKind.String || given.GetString() is not { Length: > 0 and <= 200 } name)
            throw new ProtocolException(ProtocolError.Validation("name must be the name of a capability.", "name"));

        name = name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : name;
        switch (body.TryGetProperty("value", out var value) ? value.ValueKind : JsonValueKind.Undefined)
        {
            case JsonValueKind.Null:
                overlay.TryRemove(name, out _);
                break;
            case JsonValueKind.True or JsonValueKind.False when overlay.Count < MaxNames:
                overlay[name] = value.GetBoolean();
                break;
            default:
                throw new ProtocolException(ProtocolError.Validation("value must be true, false or null.", "value"));
        }
    }
}
