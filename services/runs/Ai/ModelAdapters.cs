using System.Collections.Concurrent;
using OpenWop.Micro.Egress;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>One adapter per configured provider, over the client that reaches no address it must not reach.</summary>
internal sealed class ModelAdapters(EgressHttp http) : IDisposable
{
    /// <summary>Largest answer with everything around it, in bytes.</summary>
    private const int MaxAnswerBytes = 16 * 1024 * 1024;

    private readonly EgressHandler handler = new(http, MaxAnswerBytes);
    private readonly ConcurrentDictionary<string, IModelProvider> adapters = new(StringComparer.Ordinal);

    public IModelProvider Of(AiProvider provider) => adapters.GetOrAdd(
        provider.Id, _ => provider.Kind == AnthropicProvider.Kind ? new AnthropicProvider(provider, NewClient) : new OpenAiProvider(provider, NewClient()));

    public void Dispose() => handler.Dispose();

    private HttpClient NewClient() => new(handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
}
