using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Ai;

/// <summary>Nodes that ask models. They exist without any provider as well: tests bring mock ones.</summary>
internal static class AiHosting
{
    public static IServiceCollection AddAi(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(AiProviders.Read(configuration));
        services.AddSingleton<ModelAdapters>();
        services.AddSingleton<ProgrammedModels>();
        services.AddSingleton<ModelSelection>();
        services.AddSingleton<ModelCalls>();
        services.AddSingleton<INodeHandler, CallPromptNode>();
        services.AddSingleton<INodeHandler, StructuredOutputNode>();
        services.AddSingleton<INodeHandler, AiPromptBlock>();
        return services;
    }
}
