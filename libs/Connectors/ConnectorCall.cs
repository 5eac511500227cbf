using System.Collections.Immutable;
using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;

namespace OpenWop.Micro.Connectors;

/// <summary>One attempt of a block: its parameters, with the references in them replaced, and what it may ask the host for.</summary>
public sealed class ConnectorCall
{
    /// <summary>The block type.</summary>
    public required Connector Connector { get; init; }

    public required string RunId { get; init; }

    public required string BlockId { get; init; }

    /// <summary>Counted from 0.</summary>
    public required int Attempt { get; init; }

    /// <summary>When the attempt started.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The parameters, an object.</summary>
    public required JsonElement Parameters { get; init; }

    /// <summary>What the host does for the block.</summary>
    public required IConnectorHost Host { get; init; }

    /// <summary>Values of secrets by the parameters that name them. They are masked in everything that the block says.</summary>
    public ImmutableDictionary<string, string> Secrets { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>A parameter; null when it is absent or null.</summary>
    public JsonElement? Find(string name) =>
        Parameters.TryGetProperty(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

    /// <summary>A text; null when absent.</summary>
    /// <exception cref="ConnectorException">It is something else.</exception>
    public string? Text(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        _ => throw Wrong(name, "must be a text"),
    };

    /// <summary>A text that must be there and not be empty.</summary>
    /// <exception cref="ConnectorException">It is not.</exception>
    public string RequiredText(string name) => Text(name) is { Length: > 0 } text ? text : throw Wrong(name, "must be a text that is not empty");

    /// <summary>A number, also one in a text; null when absent.</summary>
    /// <exception cref="ConnectorException">It is none.</exception>
    public decimal? Number(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number when number.TryGetDecimal(out var exact) => exact,
        { ValueKind: JsonValueKind.String } text
            when decimal.TryParse(text.GetString(), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var read) => read,
        _ => throw Wrong(name, "must be a number"),
    };

    /// <summary>One of the options of a dropdown; the first one when absent.</summary>
    /// <exception cref="ConnectorException">It is none of them.</exception>
    public string Choice(string name)
    {
        var options = Connector.Parameters.First(parameter => parameter.Name == name).Options;
        return Text(name) switch
        {
            null => options[0],
            { } given when options.Contains(given) => given,
            _ => throw Wrong(name, $"must be one of {string.Join(", ", options)}"),
        };
    }

    /// <summary>
    /// Runs an outside effect once: when the block is tried again, or the process dies and another one goes on, a result that is known
    /// is given back instead.
    /// </summary>
    /// <param name="name">Stable name of the effect, such as <c>sms.send</c>.</param>
    /// <param name="effect">Performs it; gets a key that the other side can recognize a repetition by.</param>
    /// <exception cref="ConnectorException">As the effect threw it: a transient one is tried again, another is final and kept.</exception>
    public Task<JsonElement> RunOnceAsync(string name, Func<string, CancellationToken, Task<JsonElement>> effect, CancellationToken cancellationToken) =>
        Host.RunOnceAsync(name, effect, cancellationToken);

    /// <summary>Writes a line into the log of the run.</summary>
    /// <param name="level">debug, info, warn or error.</param>
    public void Log(string level, string message) => Host.Log(level, message);

    /// <summary>A parameter that the connector cannot work with: final, since another attempt would read the same.</summary>
    public ConnectorException Wrong(string name, string problem) => new(ConnectorException.InvalidParameter, $"'{name}' of block '{BlockId}' {problem}.");
}

/// <summary>What a host does for blocks: the engine, or the harness of tests.</summary>
public interface IConnectorHost
{
    /// <summary>See <see cref="ConnectorCall.RunOnceAsync"/>.</summary>
    Task<JsonElement> RunOnceAsync(string name, Func<string, CancellationToken, Task<JsonElement>> effect, CancellationToken cancellationToken);

    void Log(string level, string message);
}
