using System.Buffers;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenWop.Micro.Protocol.Blocks;

namespace OpenWop.Micro.Connectors.Testing;

/// <summary>
/// Runs blocks of a connector without a server, by the rules that hold there: the description is checked, references are replaced, what is
/// required is required, effects happen once, and outputs are those that are declared. JSON goes in and comes out as text.
/// </summary>
public sealed class ConnectorHarness<TConnector>
    where TConnector : class, IConnector
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly TConnector _connector;
    private readonly TestHost _host = new();

    /// <exception cref="ArgumentException">The connector is not well described, or its type is taken.</exception>
    public ConnectorHarness(TConnector connector)
    {
        _connector = connector;
        _ = new ConnectorSet([TConnector.Description]);
    }

    /// <summary>Input of the run, which <c>{{trigger}}</c> reads.</summary>
    public string Trigger { get; init; } = "{}";

    /// <summary>Outputs of blocks before, by id.</summary>
    public string Blocks { get; init; } = "{}";

    /// <summary>Values of secrets by their ids.</summary>
    public IReadOnlyDictionary<string, string> Secrets { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public DateTimeOffset Now { get; init; } = new(2027, 1, 31, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Lines that blocks have logged, as <c>level: message</c>.</summary>
    public IReadOnlyList<string> Log => _host.Lines;

    /// <summary>
    /// Runs one attempt. Another call is what happens after a crash or a failure: effects that are settled are not performed again.
    /// </summary>
    /// <returns>The output.</returns>
    /// <exception cref="ConnectorException">The block fails.</exception>
    /// <exception cref="InvalidOperationException">The output is not what the connector declares.</exception>
    public async Task<JsonElement> RunAsync(string parameters, CancellationToken cancellationToken = default)
    {
        var connector = TConnector.Description;
        var given = Resolve(JsonElement.Parse(parameters));
        _host.Begin();
        var call = new ConnectorCall
        {
            Connector = connector,
            RunId = "run-test",
            BlockId = "block",
            Attempt = _host.Attempts - 1,
            Now = Now,
            Parameters = given,
            Host = _host,
            Secrets = connector.Parameters
                .Where(parameter => parameter.IsSecret && given.TryGetProperty(parameter.Name, out var id) && Secrets.ContainsKey(id.GetString()!))
                .ToImmutableDictionary(parameter => parameter.Name, parameter => Secrets[given.GetProperty(parameter.Name).GetString()!]),
        };
        ConnectorRules.RequireParameters(call);
        var output = await _connector.RunAsync(call, cancellationToken);
        return ConnectorRules.UndeclaredOutput(connector, output) is { } undeclared
            ? throw new InvalidOperationException($"The output has '{undeclared}', which the connector does not declare.")
            : output;
    }

    private JsonElement Resolve(JsonElement parameters)
    {
        var trigger = JsonElement.Parse(Trigger);
        var blocks = JsonElement.Parse(Blocks);
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Writing))
        {
            Templates.Write(writer, parameters, Find, 8 << 20);
        }

        return JsonElement.Parse(buffer.WrittenSpan);

        JsonElement Find(string text)
        {
            var reference = BlockReference.Parse(text);
            return reference.Root switch
            {
                ReferenceRoot.Trigger => BlockReference.Follow(trigger, reference.Path.Span),
                ReferenceRoot.Block => blocks.TryGetProperty(reference.Head, out var output) ? BlockReference.Follow(output, reference.Path.Span) : default,
                _ => default,
            };
        }
    }

    private sealed class TestHost : IConnectorHost
    {
        private readonly Dictionary<string, (JsonElement Value, ConnectorException? Error)> _settled = new(StringComparer.Ordinal);
        private int _effects;

        public List<string> Lines { get; } = [];

        public int Attempts { get; private set; }

        public void Begin() => (Attempts, _effects) = (Attempts + 1, 0);

        public async Task<JsonElement> RunOnceAsync(string name, Func<string, CancellationToken, Task<JsonElement>> effect, CancellationToken cancellationToken)
        {
            var key = $"run-test:block:{_effects++}:{name}";
            if (!_settled.TryGetValue(key, out var known))
            {
                try
                {
                    known = (await effect(key, cancellationToken), null);
                }
                catch (ConnectorException final) when (!final.IsTransient)
                {
                    known = (default, final);
                }

                _settled[key] = known;
            }

            return known.Error is { } error ? throw error : known.Value;
        }

        public void Log(string level, string message) => Lines.Add($"{level}: {message}");
    }
}
