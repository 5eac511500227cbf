using System.Globalization;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Gateway.Workflows;
using OpenWop.Micro.Protocol.Errors;
using EditingClient = OpenWop.Micro.Contracts.Workflows.V1.Editing.EditingClient;

namespace OpenWop.Micro.Gateway.Editing;

/// <summary>Workflows as blocks and connections. Documents pass through as bytes.</summary>
internal sealed class WorkflowCalls(EditingClient editing)
{
    private const int MaxName = 256;
    private const int MaxDescription = 10_000;
    private const int MaxId = 128;

    public async Task<Answer> CreateAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var body = await ControlBody.ReadAsync(call, cancellationToken);
        var metadata = body.Object("metadata");
        var name = metadata?.Text("name", MaxName) ?? "";
        var description = metadata?.Text("description", MaxDescription) ?? "";
        body.ThrowIfInvalid();
        return Document(StatusCodes.Status201Created, await editing.CreateWorkflowAsync(
            new CreateWorkflowRequest { Name = name, Description = description, RequestId = call.RequestId }, Options(call, cancellationToken)));
    }

    public async Task<Answer> ListAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var reply = await editing.ListWorkflowsAsync(new ListWorkflowsRequest { After = page.After, Limit = page.Limit }, Options(call, cancellationToken));
        return ControlJson.Page(
            reply.Workflows.Select(workflow => new JsonObject { ["id"] = workflow.WorkflowId }
                .With("name", workflow.Name.Length == 0 ? null : workflow.Name)
                .With("version", workflow.Version)),
            reply.Next.Length == 0 ? null : reply.Next);
    }

    public async Task<Answer> GetAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var reply = await editing.GetWorkflowAsync(new GetWorkflowRequest { WorkflowId = Id(call) }, Options(call, cancellationToken));
        var answer = Document(StatusCodes.Status200OK, reply);
        return EntityTag.Matches(call.IfNoneMatch, answer.ETag!) ? new Answer(StatusCodes.Status304NotModified, default) { ETag = answer.ETag } : answer;
    }

    public async Task<Answer> ApplyAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var request = new ApplyOperationsRequest
        {
            WorkflowId = Id(call),
            Body = UnsafeByteOperations.UnsafeWrap(await call.ReadBody(cancellationToken)),
            DryRun = call.Query("dry_run") is "true" or "1",
            IfMatch = ExpectedVersion(call),
            RequestId = call.RequestId,
        };
        return Document(StatusCodes.Status200OK, await editing.ApplyOperationsAsync(request, Options(call, cancellationToken)));
    }

    public async Task<Answer> ListVersionsAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var after = 0L;
        if (page.After.Length > 0 && !long.TryParse(page.After, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            throw new ProtocolException(ProtocolError.Validation("'after' must be the cursor of a page.", "after"));

        var reply = await editing.ListVersionsAsync(
            new ListVersionsRequest { WorkflowId = Id(call), After = after, Limit = page.Limit }, Options(call, cancellationToken));
        return ControlJson.Page(
            reply.Versions.Select(version => new JsonObject { ["version"] = version.Version, ["etag"] = version.Etag }
                .With("createdAt", ControlJson.Time(version.CreatedAt))
                .With("createdBy", version.CreatedBy.Length == 0 ? null : version.CreatedBy)),
            reply.Next == 0 ? null : reply.Next.ToString(CultureInfo.InvariantCulture));
    }

    public async Task<Answer> GetVersionAsync(OperationCall call, CancellationToken cancellationToken)
    {
        if (!long.TryParse(call.NodeId, NumberStyles.None, CultureInfo.InvariantCulture, out var version) || version == 0)
            throw new ProtocolException(ProtocolError.NotFound("version"));

        var reply = await editing.GetWorkflowAsync(new GetWorkflowRequest { WorkflowId = Id(call), Version = version }, Options(call, cancellationToken));
        return Answer.Json(StatusCodes.Status200OK, reply.Json.Memory);
    }

    public async Task<Answer> RollBackAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var body = await ControlBody.ReadAsync(call, cancellationToken);
        if (!body.Has("version"))
            body.Fail("version", "required", "'version' is missing.");
        var version = body.Integer("version", min: 1, int.MaxValue) ?? 0;
        body.ThrowIfInvalid();
        return Document(StatusCodes.Status200OK, await editing.RollbackAsync(
            new RollbackRequest { WorkflowId = Id(call), Version = version, IfMatch = ExpectedVersion(call), RequestId = call.RequestId },
            Options(call, cancellationToken)));
    }

    public async Task<Answer> ExportAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var version = 0L;
        if (call.Query("version") is { Length: > 0 } text && (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out version) || version == 0))
            throw new ProtocolException(ProtocolError.NotFound("version"));

        return Document(StatusCodes.Status200OK, await editing.ExportWorkflowAsync(
            new GetWorkflowRequest { WorkflowId = Id(call), Version = version }, Options(call, cancellationToken)));
    }

    /// <summary>Makes a new workflow, one of the id in <c>?id=</c>, or, with <c>If-Match</c>, the next version of that.</summary>
    public async Task<Answer> ImportAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var id = call.Query("id") ?? "";
        if (id.Length > MaxId || (id.Length > 0 && !id.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.')))
            throw new ProtocolException(ProtocolError.Validation($"'id' must have 1 to {MaxId} characters of A-Z a-z 0-9 - _ .", "id"));

        var expected = ExpectedVersion(call);
        if (expected > 0 && id.Length == 0)
            throw new ProtocolException(ProtocolError.Validation("If-Match needs the id of the workflow that gets a new version, as ?id=.", "id"));

        return Document(expected == 0 ? StatusCodes.Status201Created : StatusCodes.Status200OK, await editing.ImportWorkflowAsync(
            new ImportWorkflowRequest
            {
                WorkflowId = id,
                IfMatch = expected,
                Body = UnsafeByteOperations.UnsafeWrap(await call.ReadBody(cancellationToken)),
                RequestId = call.RequestId,
            },
            Options(call, cancellationToken)));
    }

    public async Task<Answer> DeleteAsync(OperationCall call, CancellationToken cancellationToken)
    {
        await editing.DeleteWorkflowAsync(new DeleteWorkflowRequest { WorkflowId = Id(call), IfMatch = ExpectedVersion(call) }, Options(call, cancellationToken));
        return ControlJson.NoContent;
    }

    /// <summary>The version in <c>If-Match</c>, in quotes or not; 0 when there is none, which is for the service to refuse.</summary>
    /// <exception cref="ProtocolException">400 <c>invalid_if_match</c>.</exception>
    private static long ExpectedVersion(OperationCall call)
    {
        var text = call.IfMatch.AsSpan().Trim();
        if (text.IsEmpty)
            return 0;
        if (text is ['"', .. var quoted, '"'])
            text = quoted;

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version > 0
            ? version
            : throw new ProtocolException(new ProtocolError(ControlErrors.InvalidIfMatch, "If-Match must be the version that is changed, a whole number."));
    }

    /// <exception cref="ProtocolException">404: no workflow can have the id.</exception>
    public static string Id(OperationCall call) =>
        call.ResourceId.Length is > 0 and <= MaxId ? call.ResourceId : throw new ProtocolException(ProtocolError.NotFound("workflow"));

    private static Answer Document(int status, EditedDocument document) =>
        Answer.Json(status, document.Json.Memory) with { ETag = document.Version.ToString(CultureInfo.InvariantCulture) };

    private static CallOptions Options(OperationCall call, CancellationToken cancellationToken) =>
        call.Caller.CallOptions(WorkflowOperations.Service, RunOperations.Patience, cancellationToken);
}
