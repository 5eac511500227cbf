using System.CommandLine;
using System.Text.Json;
using OpenWop.Micro.Cli.Output;

namespace OpenWop.Micro.Cli.Commands;

/// <summary><c>openwop webhooks …</c>: URLs that start runs, and below <c>subscriptions</c> URLs that get events.</summary>
internal static class WebhookCommands
{
    private static readonly Argument<string> Id = new("webhook") { Description = "Id of the webhook" };

    public static Command Create() => new("webhooks", "URLs that start runs, and subscriptions that get events.")
    {
        List(),
        Add(),
        Delete(),
        new Command("subscriptions", "URLs that the server posts events to.") { ListSubscriptions(), Subscribe(), Unsubscribe() },
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
                Terminal.Table(["id", "workflow", "url"], webhooks.Select(webhook => new[] { webhook.Id, webhook.WorkflowId, webhook.Url }));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Add()
    {
        var workflow = new Argument<string>("workflow") { Description = "Id of the workflow" };
        var path = new Option<string>("--path") { Description = "The end of the URL", Required = true };
        var command = new Command("add", "Start a workflow when somebody posts to a URL. Shows the secret, once.") { workflow, path };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var made = await client.InboundWebhooks.CreateAsync(result.GetValue(path)!, result.GetValue(workflow)!, cancellationToken: cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(made);
            else
                Terminal.Facts(("webhook", made.Id), ("url", made.Url), ("secret", made.Secret));
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

    private static Command ListSubscriptions()
    {
        var command = new Command("list", "All subscriptions.");
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var subscriptions = await client.WebhookSubscriptions.ListAllAsync(cancellationToken).ToListAsync(cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(subscriptions);
            else
            {
                Terminal.Table(
                    ["id", "url", "events", "state"],
                    subscriptions.Select(subscription => new[]
                    {
                        Member(subscription, "id") ?? Member(subscription, "webhookId"), Member(subscription, "url"), Member(subscription, "events"),
                        Member(subscription, "state") ?? Member(subscription, "status"),
                    }));
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Subscribe()
    {
        var url = new Argument<Uri>("url") { Description = "Where events are posted to" };
        var events = new Option<string[]>("--event") { Description = "A type of events (default: all)", DefaultValueFactory = _ => [] };
        var command = new Command("add", "Subscribe a URL. Shows the secret, once.") { url, events };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            var types = result.GetValue(events)!;
            var made = await client.WebhookSubscriptions.CreateAsync(result.GetValue(url)!, types.Length == 0 ? null : types, cancellationToken: cancellationToken);
            if (result.GetValue(Globals.Json))
                Terminal.Json(made);
            else
                Terminal.Facts(("subscription", Member(made, "webhookId")), ("url", Member(made, "url")), ("secret", Member(made, "secret")));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Unsubscribe()
    {
        var command = new Command("delete", "End a subscription.") { Id };
        command.SetAction(async (result, cancellationToken) =>
        {
            using var client = Globals.Connect(result);
            await client.WebhookSubscriptions.DeleteAsync(result.GetValue(Id)!, cancellationToken);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static string? Member(JsonElement document, string name) =>
        document.ValueKind == JsonValueKind.Object && document.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? Terminal.Short(value, 200)
            : null;
}
