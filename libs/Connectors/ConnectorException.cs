namespace OpenWop.Micro.Connectors;

/// <summary>A block fails, with what authors and other blocks get to see.</summary>
/// <param name="code">snake_case.</param>
/// <param name="message">One sentence for people, free of secrets.</param>
/// <param name="isTransient">True when another attempt may help: it is made after 1, 2, 4 and 8 s.</param>
#pragma warning disable CA1032 // Exists only to carry what authors get to see.
public sealed class ConnectorException(string code, string message, bool isTransient = false) : Exception(message)
#pragma warning restore CA1032
{
    /// <summary>Code of a parameter that the connector cannot work with.</summary>
    public const string InvalidParameter = "config_invalid";

    public string Code { get; } = code;

    public bool IsTransient { get; } = isTransient;
}
