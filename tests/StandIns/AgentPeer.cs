using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace OpenWop.Micro.StandIns;

/// <summary>
/// An A2A agent with the skill <c>echo</c>. The metadata <c>driftScenario</c> of a message says which states its task goes through: a list
/// with commas, whose last one stays until somebody answers, which completes the task.
/// </summary>
public sealed class AgentPeer
{
    private readonly ConcurrentDictionary<string, AgentTask> _tasks = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<JsonNode> _sent = new();

    /// <summary>Parameters of every <c>message/send</c>, in order.</summary>
    public IReadOnlyCollection<JsonNode> Sent => _sent;

    /// <summary>Completes all tasks.</summary>
    public void Complete()
    {
        foreach (var task in _tasks.Values)
            task.Complete();
    }

    internal void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/.well-known/agent-card.json", (HttpRequest request) => Results.Json(new
        {
            name = "Echo",
            protocolVersion = "0.3.0",
            url = $"http://{request.Host}/a2a",
            skills = new[] { new { id = "echo" } },
        }));
        routes.MapPost("/a2a", async (HttpContext context) =>
        {
            var call = (await JsonNode.ParseAsync(context.Request.Body))!;
            var parameters = call["params"]!;
            var task = (string)call["method"]! == "message/send" ? Take(parameters) : _tasks[(string)parameters["id"]!];
            var state = (string)call["method"]! == "message/send" ? task.State : task.Next();
            return Results.Json(new
            {
                jsonrpc = "2.0",
                id = (string)call["id"]!,
                result = new
                {
                    kind = "task",
                    id = task.Id,
                    contextId = "context-" + task.Id,
                    status = new { state, message = new { role = "agent", parts = new[] { new { kind = "text", text = $"I am {state}" } } } },
                },
            });
        });
    }

    /// <summary>A message again is the task that it was.</summary>
    private AgentTask Take(JsonNode parameters)
    {
        _sent.Enqueue(parameters);
        var message = parameters["message"]!;
        if ((string?)message["taskId"] is { } known)
        {
            _tasks[known].Complete();
            return _tasks[known];
        }

        var scenario = (string?)parameters["metadata"]?["driftScenario"] ?? "happy-path";
        string[] states = scenario == "happy-path" ? ["completed"] : scenario.Split(',');
        return _tasks.GetOrAdd("task-" + (string)message["messageId"]!, id => new AgentTask(id, states));
    }

    private sealed class AgentTask(string id, string[] states)
    {
        private readonly Queue<string> _states = new(states);

        public string Id => id;

        public string State
        {
            get
            {
                lock (_states)
                    return _states.Peek();
            }
        }

        /// <summary>The state, and on to the next one.</summary>
        public string Next()
        {
            lock (_states)
                return _states.Count > 1 ? _states.Dequeue() : _states.Peek();
        }

        public void Complete()
        {
            lock (_states)
            {
                _states.Clear();
                _states.Enqueue("completed");
            }
        }
    }
}
