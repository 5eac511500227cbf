using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;

namespace OpenWop.Micro.Connectors;

/// <summary>What holds for every block of a registered type, whatever its connector does.</summary>
public static class ConnectorRules
{
    /// <summary>Refuses an attempt without a parameter that is required.</summary>
    /// <exception cref="ConnectorException">One is missing.</exception>
    public static void RequireParameters(ConnectorCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        foreach (var parameter in call.Connector.Parameters.Where(parameter => parameter.IsRequired))
        {
            if (call.Find(parameter.Name) is not { } value || (value.ValueKind == JsonValueKind.String && value.ValueEquals("")))
                throw call.Wrong(parameter.Name, "must be given");
        }
    }

    /// <summary>A member of an output that is not declared; null when there is none.</summary>
    public static string? UndeclaredOutput(Connector connector, JsonElement output)
    {
        ArgumentNullException.ThrowIfNull(connector);
        if (output.ValueKind != JsonValueKind.Object)
            return "a value that is no object";

        foreach (var member in output.EnumerateObject())
        {
            if (!connector.Declares(member.Name))
                return member.Name;
        }

        return null;
    }
}
