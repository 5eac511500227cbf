using System.Collections.Concurrent;
using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Runs.Api;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>
/// The provider <c>mock</c>: it says what tests of the protocol have written down, call by call, for a node id (spec/conformance.md 6.3). It
/// exists where test seams are on, forgets with the process, and answers nothing when its program is at its end.
/// </summary>
internal sealed class ProgrammedModels(TestSeams seams)
{
    public const string ProviderId = "mock";
    public const string DefaultModel = "mock-mini";

    private const int MaxPrograms = 1000;
    private const int MaxAnswers = 100;

    private readonly ConcurrentDictionary<(string Tenant, string NodeId), Program> _programs = new();

    public bool AreOn => seams.AreOn;

    /// <summary>Writes down what a node is told from now on.</summary>
    /// <param name="answers">An array of <c>{content?, stopReason?, refusalText?}</c>.</param>
    /// <returns>The number of answers.</returns>
    /// <exception cref="ProtocolException">400: that is none, or there are too many.</exception>
    public int Set(string tenant, string nodeId, JsonElement answers)
    {
        if (answers.ValueKind != JsonValueKind.Array || answers.GetArrayLength() > MaxAnswers || answers.EnumerateArray().Any(answer => answer.ValueKind != JsonValueKind.Object))
            throw new ProtocolException(ProtocolError.Validation($"program must be a list of at most {MaxAnswers} answers.", "program"));

        if (_programs.Count >= MaxPrograms)
            _programs.Clear();

        _programs[(tenant, nodeId)] = new Program([.. answers.EnumerateArray()]);
        return answers.GetArrayLength();
    }

    /// <summary>Most tokens that the last call of a node has allowed; null = there was none.</summary>
    public int? LastBudget(string tenant, string nodeId) => _programs.GetValueOrDefault((tenant, nodeId))?.LastBudget;

    public IModelProvider Of(NodeContext context) => _programs.GetValueOrDefault((context.Tenant, context.Node.Id)) ?? new Program([]);

    private sealed class Program(JsonElement[] answers) : IModelProvider
    {
        private int _calls;

        public int? LastBudget { get; private set; }

        public Task<ModelAnswer> CallAsync(ModelRequest request, string identity, TextReceiver receive, CancellationToken cancellationToken)
        {
            var call = Interlocked.Increment(ref _calls);
            LastBudget = request.MaxTokens;
            var answer = call <= answers.Length ? answers[call - 1] : NodeJson.EmptyObject;
            var content = answer.StringMember("refusalText") ?? answer.StringMember("content") ?? "";
            var stopReason = answer.StringMember("stopReason");
            var finishReason = stopReason switch
            {
                "max_tokens" or "length" => "length",
                "safety" or "refusal" or "content_filter" => "content_filter",
                _ => answer.Member("refusalText") is null ? "stop" : "content_filter",
            };
            return Task.FromResult(new ModelAnswer(content, finishReason, new ModelUsage(1, 1), request.Model) { Tail = content, StopReason = stopReason });
        }
    }
}
