using System.CommandLine;
using OpenWop.Micro.Cli.Output;
using OpenWop.Micro.Client.Webhooks;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop webhooks …</c>: URLs that start runs. Those that get events are <see cref="SubscriptionCommands"/>.</summary>
internal static class WebhookCommands
{
    private static readonly Argument<string> Id = new("webhook") { Description = "Id of the webhook" };

    public static Command Create() => new("webhooks", "URLs that start runs, and subscriptions that get events.")
    {
        List(),
        Get(),
        Add(),
        Rotate(),
        Delete(),
        SubscriptionCommands.Create(),
    };

    private static Command List()
    {
        var command = new Command("list", "All URLs that start runs.");
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var webhooks = await client.InboundWebhooks.ListAllAsync(cancellationToken).ToListAsync(cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(webhooks);
            else
                Terminal.Table(["id", "workflow", "scheme", "url"], webhooks.Select(webhook => new[] { webhook.Id, webhook.WorkflowId, webhook.Scheme, webhook.Url }));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Get()
    {
        var command = new Command("get", "A URL that starts runs.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            Show(result, await client.InboundWebhooks.GetAsync(result.GetValue(Id)!, cancellationToken));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Add()
    {
        var workflow = new Argument<string>("workflow") { Description = "Id of the workflow" };
        var path = new Option<string>("--path") { Description = "The end of the URL", Required = true };
        var scheme = new Option<string?>("--scheme") { Description = "How senders sign: openwop (the default), github, stripe or slack" };
        scheme.AcceptOnlyFromAmong("openwop", "github", "stripe", "slack");
        var wait = new Option<bool>("--wait") { Description = "Senders wait for the end of the run and get its outputs" };
        var command = new Command("add", "Start a workflow when somebody posts to a URL. Shows the secret, once.") { workflow, path, scheme, wait };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            Show(result, await client.InboundWebhooks.CreateAsync(
                new NewInboundWebhook(result.GetValue(path)!, result.GetValue(workflow)!)
                {
                    Scheme = result.GetValue(scheme),
                    Mode = result.GetValue(wait) ? "sync" : null,
                },
                cancellationToken));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Rotate()
    {
        var overlap = OverlapOption();
        var command = new Command("rotate", "Replace the secret of a URL. Shows the new one, once.") { Id, overlap };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            Show(result, await client.InboundWebhooks.RotateSecretAsync(result.GetValue(Id)!, Seconds(result, overlap), cancellationToken: cancellationToken));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Delete()
    {
        var command = new Command("delete", "Delete a URL that starts runs.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            await client.InboundWebhooks.DeleteAsync(result.GetValue(Id)!, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>For how long a secret that was replaced is good as well.</summary>
    internal static Option<int?> OverlapOption() => new("--overlap") { Description = "Seconds for which the old secret is good as well (default: a day)" };

    internal static TimeSpan? Seconds(ParseResult result, Option<int?> option) => result.GetValue(option) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    private static void Show(ParseResult result, InboundWebhook webhook)
    {
        if (result.GetValue(Globals.Json))
            Terminal.Json(webhook);
        else
        {
            Terminal.Facts(
                ("webhook", webhook.Id), ("workflow", webhook.WorkflowId), ("url", webhook.Url), ("scheme", webhook.Scheme), ("mode", webhook.Mode),
                ("secret", webhook.Secret), ("old until", Terminal.Time(webhook.PreviousSecretUntil)));
        }
    }
}
