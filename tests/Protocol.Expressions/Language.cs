using System.Text.Json;

namespace OpenWop.Micro.Protocol.Expressions.Tests;

/// <summary>Parses and evaluates over one scope that has a bit of everything.</summary>
internal static class Language
{
    private static readonly JsonElement Inputs = JsonElement.Parse(
        """
        {
          "name": "Ada", "age": 36, "price": 9.50, "big": 12345678901234567890, "bigger": 12345678901234567891, "huge": 1e400,
          "flag": true, "nothing": null, "empty": [], "none": {}, "text": "a,b,,c", "emoji": "a😀b", "half": "\ud800",
          "list": [3, 1, 2], "words": ["pear", "apple", "fig"], "mixed": [1, "a", null],
          "user": { "id": 7, "tags": ["x", "y"], "address": { "city": "Bern" } },
          "orders": [ { "id": "o1", "total": 12.5, "paid": true }, { "id": "o2", "total": 7, "paid": false }, { "id": "o3", "total": 30, "paid": true } ],
          "odd key": 1, "broken": { "\udc00": 2 }
        }
        """);

    public static ExpressionScope Scope => ExpressionScope.ForRun(
        "run-1",
        "flow",
        Inputs,
        JsonElement.Parse("""{"region":"eu"}"""),
        new Dictionary<string, JsonElement> { ["count"] = JsonElement.Parse("2"), ["items"] = JsonElement.Parse("[1,2]") },
        () => new Dictionary<string, JsonElement> { ["fetch-1"] = JsonElement.Parse("""{"status":200,"body":{"ok":true}}""") });

    public static Expression Parse(string text)
    {
        Assert.True(Expression.TryParse(text, out var expression, out var error), $"{text}: {error}");
        return expression;
    }

    public static ExpressionResult Evaluate(string text, ExpressionLimits? limits = null) => Parse(text).Evaluate(Scope, limits);

    public static string Json(string text)
    {
        var result = Evaluate(text);
        Assert.True(result.IsSuccess, $"{text}: {result.Error}");
        return result.Value.GetRawText();
    }
}
