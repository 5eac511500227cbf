using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Activities;

/// <summary>How a settled result is stored: <c>{"value": …}</c>, <c>{"error": …}</c> or, when it is too large, <c>{"tooLarge": bytes}</c>.</summary>
internal static class ActivityRecord
{
    /// <summary>Largest stored result in bytes.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>Results are nested in documents of nodes, which may be deep themselves.</summary>
    private static readonly JsonDocumentOptions ReadOptions = new() { MaxDepth = 256 };

    private static readonly JsonWriterOptions WriteOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Encode(ActivityResult result)
    {
        var record = Write(writer =>
        {
            if (result.Error is { } error)
            {
                writer.WriteStartObject("error");
                writer.WriteString("code", error.Code);
                writer.WriteString("message", error.Message);
                writer.WriteBoolean("retryable", error.Retryable);
                if (error.Details is { } details)
                {
                    writer.WritePropertyName("details");
                    details.WriteTo(writer);
                }

                writer.WriteEndObject();
            }
            else
            {
                writer.WritePropertyName("value");
                result.Value.WriteTo(writer);
            }
        });
        return record.Length <= MaxBytes ? record : Write(writer => writer.WriteNumber("tooLarge", record.Length));
    }

    public static ActivityResult Decode(ReadOnlySpan<byte> record)
    {
        var root = JsonElement.Parse(record, ReadOptions);
        if (root.TryGetProperty("value", out var value))
        {
            return new ActivityResult(value, null, Settled: true);
        }

        return new ActivityResult(default, root.TryGetProperty("error", out var error) ? ReadError(error) : NotKept(), Settled: true);
    }

    private static NodeError ReadError(JsonElement error) => new(
        error.GetProperty("code").GetString()!,
        error.GetProperty("message").GetString()!,
        error.GetProperty("retryable").GetBoolean(),
        error.TryGetProperty("details", out var details) ? details : null);

    /// <summary>The effect must not happen twice, and what it gave the first time is gone.</summary>
    private static NodeError NotKept() => new(
        "activity_result_not_kept",
        $"The effect has happened before an interruption, and its result was larger than the {MaxBytes} bytes that are kept.");

    private static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, WriteOptions))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
