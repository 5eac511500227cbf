using System.Collections.Frozen;
using System.Collections.Immutable;

namespace OpenWop.Micro.Workflows.Catalogue;

/// <summary>The block types that authors may use, in the order in which the catalogue lists them (docs/control-plane.md).</summary>
internal static class BlockTypes
{
    public static readonly ImmutableArray<BlockType> All =
    [
        new("trigger_webhook", "Webhook trigger", "Starts the workflow; its output is the input of the run.", "trigger", "trigger",
            [new("path", "Path", Required: true)],
            []),
        new("http", "HTTP request", "Calls a URL and gives the status, headers and body of the answer.", "tools", "compute",
            [
                new("url", "URL", Required: true),
                new("method", "Method", "dropdown", Options: "GET,POST,PUT,DELETE,PATCH"),
                new("headers", "Headers", "json"),
                new("body", "Body", "json"),
            ],
            [("status", "number"), ("body", "object"), ("headers", "object")]),
        new("slack", "Slack message", "Sends a text to a channel.", "tools", "compute",
            [
                new("operation", "Operation", "dropdown", Required: true, Options: "send"),
                new("channel", "Channel", Required: true),
                new("text", "Text", "long-input", Required: true),
                new("threadTs", "Thread"),
            ],
            [("ok", "boolean"), ("ts", "string"), ("channel", "string")]),
        new("transform", "Transform", "Builds a value from a template.", "logic", "compute",
            [new("template", "Template", "json", Required: true)],
            [("result", "object")]),
        new("wait_duration", "Wait", "Waits for a span of time.", "wait", "wait",
            [
                new("duration", "Duration", Required: true),
                new("unit", "Unit", "dropdown", Required: true, Options: "ms,seconds,minutes,hours,days,weeks"),
            ],
            [("resumedAt", "string")]),
        new("wait_for_event", "Wait for event", "Waits until an event is delivered or the time is up.", "wait", "wait",
            [new("eventName", "Event", Required: true), new("correlationKey", "Correlation key"), new("timeoutHours", "Time limit in hours")],
            [("data", "object"), ("timedOut", "boolean")]),
        new("human_approval", "Human approval", "Waits until somebody approves or declines.", "wait", "wait",
            [new("prompt", "Prompt", "long-input", Required: true), new("timeoutHours", "Time limit in hours")],
            [("approved", "boolean"), ("by", "string"), ("note", "string")]),
    ];

    /// <summary>All types as a list for messages.</summary>
    public static readonly string Names = string.Join(", ", All.Select(type => type.Type));

    private static readonly FrozenDictionary<string, BlockType> ByType = All.ToFrozenDictionary(type => type.Type, StringComparer.Ordinal);

    public static BlockType? Find(string type) => ByType.GetValueOrDefault(type);
}
