using Grpc.Core;
using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.ServiceDefaults.Errors;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>The workflows that deliveries start.</summary>
internal sealed class TargetWorkflows(Workflows.WorkflowsClient workflows, TimeProvider time)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Whether a tenant has a workflow of this id in one of its modes.</summary>
    public async Task<bool> ExistsAsync(string tenant, bool isTest, string workflowId, CancellationToken cancellationToken)
    {
        try
        {
            await workflows.GetDefinitionAsync(
                new GetDefinitionRequest { WorkflowId = workflowId, Tenant = tenant, Test = isTest },
                deadline: time.GetUtcNow().UtcDateTime + CallTimeout,
                cancellationToken: cancellationToken);
            return true;
        }
        catch (RpcException exception) when (exception.ToProtocolError().Code.HttpStatus is 404 or 410)
        {
            return false;
        }
    }
}
