using System.Globalization;

namespace OpenWop.Micro.Bench.Control;

/// <summary>Lists of operations.</summary>
internal static class Operations
{
    private static int number;

    /// <summary>A trigger and a chain of blocks, each of which refers to the one before: two operations per block.</summary>
    public static IEnumerable<string> Chain(int blocks)
    {
        yield return """{"operation_type":"add","block_id":"b0","type":"trigger_manual"}""";
        for (var i = 1; i < blocks; i++)
        {
            var before = $"{{{{b{i - 1}.{(i == 1 ? "name" : "result")}}}}} and {{{{trigger.x}}}}";
            yield return $$"""{"operation_type":"add","block_id":"b{{i}}","type":"transform","params":{"template":{"before":"{{before}}","n":{{i}} } } }""";
            yield return $$"""{"operation_type":"connect","block_id":"b{{i - 1}}","target_block_id":"b{{i}}"}""";
        }

        yield return """{"operation_type":"set_metadata","metadata":{"name":"Chain"}}""";
    }

    /// <summary>Changes of params, each to something new.</summary>
    public static IEnumerable<string> Edits(int count, int of)
    {
        for (var i = 0; i < count; i++)
        {
            var value = Interlocked.Increment(ref number).ToString(CultureInfo.InvariantCulture);
            yield return $$"""{"operation_type":"edit","block_id":"b{{1 + (i % (of - 1))}}","params":{"template":{{value}} } }""";
        }
    }
}
