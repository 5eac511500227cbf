using System.Text.Json;
using OpenWop.Micro.Protocol.Schemas;
using MetaSchemas = global::Json.Schema.MetaSchemas;

namespace OpenWop.Micro.Protocol.Tests.Schemas;

/// <summary>
/// Holds the validator against the required tests of the official suite of draft 2020-12, and those optional ones that ask for
/// exact numbers (JsonSchemaTestSuite/, MIT). Left out is <c>vocabulary.json</c>: custom meta-schemas are refused.
/// </summary>
public sealed class JsonSchemaTestSuiteTests
{
    private static readonly string Root = Path.Combine(AppContext.BaseDirectory, "JsonSchemaTestSuite");

    private static readonly Dictionary<string, JsonElement> Documents = LoadDocuments();


    public static TheoryData<string> Files() =>
        [.. Directory.GetFiles(Path.Combine(Root, "tests"), "*.json", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Path.Combine(Root, "tests"), file))
            .Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_test_of_the_suite_gives_the_expected_answer(string file)
    {
        using var groups = JsonDocument.Parse(File.ReadAllText(Path.Combine(Root, "tests", file)));
        var wrong = new List<string>();
        var count = 0;
        foreach (var group in groups.RootElement.EnumerateArray())
        {
            var description = group.GetProperty("description").GetString()!;
            JsonSchemaDocument schema;
            try
            {
                schema = JsonSchemaDocument.Compile(group.GetProperty("schema"), SchemaLimits.Untrusted, "https://schema.invalid/root", Find);
            }
            catch (InvalidSchemaException invalid)
            {
                wrong.Add($"{description}: {invalid.Error}");
                continue;
            }

            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                count++;
                var expected = test.GetProperty("valid").GetBoolean();
                if (schema.IsValid(test.GetProperty("data")) != expected || (schema.Validate(test.GetProperty("data")).Count == 0) != expected)
                    wrong.Add($"{description}: {test.GetProperty("description").GetString()} should be {(expected ? "valid" : "invalid")}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.NotEqual(0, count);
    }

    private static JsonElement? Find(string uri) => Documents.TryGetValue(uri, out var document) ? document : null;

    private static Dictionary<string, JsonElement> LoadDocuments()
    {
        var remotes = Path.Combine(Root, "remotes");
        var documents = Directory.GetFiles(remotes, "*.json", SearchOption.AllDirectories).ToDictionary(
            file => $"http://localhost:1234/{Path.GetRelativePath(remotes, file)}",
            file => JsonDocument.Parse(File.ReadAllText(file)).RootElement);
        foreach (var schema in (global::Json.Schema.JsonSchema[])[MetaSchemas.Draft202012, MetaSchemas.Core202012, MetaSchemas.Applicator202012,
            MetaSchemas.Unevaluated202012, MetaSchemas.Validation202012, MetaSchemas.Metadata202012, MetaSchemas.FormatAnnotation202012, MetaSchemas.Content202012])
        {
            documents[schema.Root.Source.GetProperty("$id").GetString()!] = schema.Root.Source;
        }

        return documents;
    }
}
