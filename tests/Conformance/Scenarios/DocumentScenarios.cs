using System.Text.Json;
using OpenWop.Micro.Conformance.Driver;

namespace OpenWop.Micro.Conformance.Scenarios;

/// <summary>
/// The OpenAPI document as a promise. That every answer of the suite fits it is checked with each call (<see cref="ServedContract"/>);
/// here is what it says by itself.
/// </summary>
internal static class DocumentScenarios
{
    private const string Section = "OpenAPI";

    private static readonly Gate Published = new("/v1/openapi.json", static suite => suite.Contract != ServedContract.None);

    public static IEnumerable<Scenario> All { get; } =
    [
        new(Section, "A document is unchanged for those who have it", Published, async suite =>
        {
            foreach (var document in suite.Contract.Documents)
            {
                var tag = (await suite.Anonymous.GetAsync(document)).Expecting(200).Header("ETag");
                Expect.That(tag is not null, $"ETag of {document}");
                (await suite.Anonymous.GetAsync(document, ("If-None-Match", tag))).Expecting(304);
            }
        }),
        new(Section, "Every operation with a body has an example that fits its schema", Published, suite =>
        {
            foreach (var (operation, problem) in suite.Contract.ExampleProblems())
                throw new ConformanceException($"{operation}: {problem}");
            return Task.CompletedTask;
        }),
        new(Section, "Every operation that needs a credential names its scopes, or says that any will do", Published, suite =>
        {
            foreach (var operation in suite.Contract.WithoutScopes())
                throw new ConformanceException($"{operation} needs a credential and names no scope");
            return Task.CompletedTask;
        }),
        new(Section, "The examples of the document can be followed", Gate.StoresWorkflows, async suite =>
        {
            var definition = suite.Contract.Example("putWorkflow");
            var id = definition.GetProperty("id").GetString()!;
            (await suite.Host.SendAsync("PUT", $"/v1/workflows/{id}", definition.GetRawText())).Expecting(200, 201);
            WireContract.Validate("workflow-definition", (await suite.Host.GetAsync($"/v1/workflows/{id}")).Expecting(200).Json, "the example");

            var run = (await suite.Host.SendAsync("POST", "/v1/runs", suite.Contract.Example("createRun").GetRawText())).Expecting(201);
            Expect.Equal(JsonValueKind.Object, (await suite.UntilAsync(Suite.RunIdOf(run), "completed")).ValueKind, "snapshot");
        }),
    ];
}
