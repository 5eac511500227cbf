using System.Globalization;
using System.Text.Json;
using OpenWop.Micro.Protocol.Workflows;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;

namespace OpenWop.Micro.Runs.Nodes.Blocks;

/// <summary><c>wait_duration</c>: goes on after a time, counted from the start of the block and recorded there.</summary>
internal sealed class WaitDurationBlock : PureBlock
{
    public override string TypeId => "wait_duration";

    protected override NodeOutcome Execute(NodeContext context, NodeParameters parameters)
    {
        var unit = parameters.RequiredString("unit");
        if (ConditionBlock.NumberOf(parameters.Find("duration")) is not { } duration)
        {
            parameters.Reject("duration", "must be a number");
            return new NodeOutcome.Completed(NodeJson.EmptyObject);
        }

        if (SecondsOf(unit) is not { } factor)
        {
            parameters.Reject("unit", "must be milliseconds, seconds, minutes, hours, days or weeks");
            return new NodeOutcome.Completed(NodeJson.EmptyObject);
        }

        if (duration > int.MaxValue || duration * factor * 1000 > WorkflowDefinitionReader.MaxDelayMs)
        {
            parameters.Reject("duration", "must be 365 days at most");
            return new NodeOutcome.Completed(NodeJson.EmptyObject);
        }

        // Whole seconds, at least one.
        var seconds = duration <= 0 ? 1 : Math.Max(1, Math.Ceiling(duration * factor));
        var until = context.Now.AddSeconds((double)seconds);
        return new NodeOutcome.Delayed(until, NodeJson.Object(writer => writer.WriteString("resumedAt", Timestamps.Format(until))));
    }

    private static decimal? SecondsOf(string unit) => unit switch
    {
        "ms" or "milliseconds" => 0.001m,
        "s" or "seconds" => 1,
        "m" or "minutes" => 60,
        "h" or "hours" => 3_600,
        "d" or "days" => 86_400,
        "w" or "weeks" => 604_800,
        _ => null,
    };
}

/// <summary><c>wait_until</c>: goes on at a time; one that is over does not wait.</summary>
internal sealed class WaitUntilBlock : PureBlock
{
    public override string TypeId => "wait_until";

    protected override NodeOutcome Execute(NodeContext context, NodeParameters parameters)
    {
        if (TimeOf(parameters.Find("until")) is not { } until)
        {
            parameters.Reject("until", "must be a time such as 2027-01-31T12:00:00Z, or Unix milliseconds");
            return new NodeOutcome.Completed(NodeJson.EmptyObject);
        }

        if ((until - context.Now).TotalMilliseconds > WorkflowDefinitionReader.MaxDelayMs)
        {
            parameters.Reject("until", "must be at most 365 days away");
            return new NodeOutcome.Completed(NodeJson.EmptyObject);
        }

        var resumedAt = until > context.Now ? until : context.Now;
        var outputs = NodeJson.Object(writer => writer.WriteString("resumedAt", Timestamps.Format(resumedAt)));
        return until > context.Now ? new NodeOutcome.Delayed(until, outputs) : new NodeOutcome.Completed(outputs);
    }

    private static DateTimeOffset? TimeOf(JsonElement? value) => value switch
    {
        { ValueKind: JsonValueKind.String } text
            when DateTimeOffset.TryParse(text.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) => time.ToUniversalTime(),
        { ValueKind: JsonValueKind.Number } number
            when number.TryGetInt64(out var milliseconds) && milliseconds is >= 0 and <= 253_402_300_799_999 => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds),
        _ => null,
    };
}

/// <summary>A block that waits for somebody outside, and goes on when nobody comes in time.</summary>
internal abstract class WaitBlock(string kind, decimal defaultHours) : PureBlock
{
    private const decimal MaxHours = 365 * 24;

    protected override NodeOutcome Execute(NodeContext context, NodeParameters parameters)
    {
        var key = context.InterruptKey(0);
        if (context.Resolved.TryGetValue(key, out var answer))
            return new NodeOutcome.Completed(Outputs(JsonElement.DeepEquals(answer, InterruptDecisions.TimedOutAnswer) ? default : answer));

        var given = parameters.Find("timeoutHours");
        var hours = given is null ? defaultHours : ConditionBlock.NumberOf(given);
        if (hours is null or < 0)
            parameters.Reject("timeoutHours", "must be a number of hours");

        var timeout = hours is > 0 ? Math.Min(hours.Value, MaxHours) : defaultHours;
        var data = NodeJson.Object(writer =>
        {
            WriteData(writer, context, parameters);
            writer.WriteString(InterruptDecisions.OnTimeOut, InterruptDecisions.Resume);
        });
        return new NodeOutcome.Suspended(new Interrupt(kind, key, data, AnswerSchema(parameters), TimeoutMs: (long)Math.Ceiling(timeout * 3600) * 1000));
    }

    /// <summary>What an answer has to satisfy; null = nothing.</summary>
    protected virtual JsonElement? AnswerSchema(NodeParameters parameters) => null;

    protected abstract void WriteData(Utf8JsonWriter writer, NodeContext context, NodeParameters parameters);

    /// <param name="answer">Undefined after a time-out.</param>
    protected abstract JsonElement Outputs(JsonElement answer);
}

/// <summary><c>wait_for_event</c>: waits for a payload.</summary>
internal sealed class WaitForEventBlock() : WaitBlock(InterruptKinds.ExternalEvent, defaultHours: 365 * 24)
{
    public override string TypeId => "wait_for_event";

    protected override void WriteData(Utf8JsonWriter writer, NodeContext context, NodeParameters parameters)
    {
        writer.WriteString("eventName", parameters.RequiredString("eventName"));
        if (parameters.Find("correlationKey") is { } correlation)
        {
            writer.WritePropertyName("correlationKey");
            correlation.WriteTo(writer);
        }
    }

    protected override JsonElement Outputs(JsonElement answer) => NodeJson.Object(writer =>
    {
        writer.WritePropertyName("data");
        if (answer.IsDefined())
            answer.WriteTo(writer);
        else
            writer.WriteNullValue();
        writer.WriteBoolean("timedOut", !answer.IsDefined());
    });
}

/// <summary><c>human_input</c>: waits until a person fills something in, of a shape that a schema describes.</summary>
internal sealed class HumanInputBlock() : WaitBlock(InterruptKinds.Custom, defaultHours: 7 * 24)
{
    public override string TypeId => "human_input";

    protected override JsonElement? AnswerSchema(NodeParameters parameters) => parameters.Object("schema");

    protected override void WriteData(Utf8JsonWriter writer, NodeContext context, NodeParameters parameters)
    {
        writer.WriteString("customKind", "human.input");
        writer.WriteString("title", context.Node.Name);
        writer.WriteString("description", parameters.RequiredString("prompt"));
    }

    protected override JsonElement Outputs(JsonElement answer) => NodeJson.Object(writer =>
    {
        writer.WritePropertyName("data");
        if (answer.IsDefined())
            answer.WriteTo(writer);
        else
            writer.WriteNullValue();
        writer.WriteBoolean("timedOut", !answer.IsDefined());
    });
}

/// <summary><c>human_approval</c>: waits for a decision; nobody's decision is none.</summary>
internal sealed class HumanApprovalBlock() : WaitBlock(InterruptKinds.Approval, defaultHours: 7 * 24)
{
    public override string TypeId => "human_approval";

    protected override void WriteData(Utf8JsonWriter writer, NodeContext context, NodeParameters parameters)
    {
        var prompt = parameters.RequiredString("prompt");
        writer.WriteString("artifactId", context.Node.Id);
        writer.WriteString("artifactType", "approval");
        writer.WriteString("title", context.Node.Name);
        writer.WriteString("description", prompt);
        writer.WriteStartArray("actions");
        writer.WriteStringValue("accept");
        writer.WriteStringValue("reject");
        writer.WriteEndArray();
    }

    protected override JsonElement Outputs(JsonElement answer) => NodeJson.Object(writer =>
    {
        writer.WriteBoolean("approved", answer.IsDefined() && answer.StringMember("action") == "accept");
        if (!answer.IsDefined())
        {
            writer.WriteBoolean("timedOut", true);
            return;
        }

        Copy(writer, "by", answer.Member("by") ?? answer.Member("decidedBy"));
        Copy(writer, "note", answer.Member("note") ?? answer.Member("comment") ?? answer.Member("feedback"));
        foreach (var member in answer.EnumerateObject())
        {
            if (member.Name is not ("action" or "approved" or "by" or "note" or "timedOut"))
                member.WriteTo(writer);
        }
    });

    private static void Copy(Utf8JsonWriter writer, string name, JsonElement? value)
    {
        if (value is not { } given)
            return;

        writer.WritePropertyName(name);
        given.WriteTo(writer);
    }
}
