using YamlDotNet.RepresentationModel;

namespace OpenWop.Micro.Deploy.Tests;

/// <summary>The deployment of a service in <c>deploy/k8s/base</c>.</summary>
internal sealed class Manifest(YamlNode deployment)
{
    public string Name => deployment.Text("metadata", "name")!;

    public YamlNode Pod => deployment.At("spec", "template", "spec")!;

    public YamlNode Container => Pod.Items("containers").Single();

    public string[] Arguments => [.. Container.Items("args").Select(argument => ((YamlScalarNode)argument).Value!)];

    public int Port => int.Parse(Container.Items("ports").Single().Text("containerPort")!, System.Globalization.CultureInfo.InvariantCulture);

    public static IReadOnlyList<Manifest> All { get; } = [.. Repository.YamlFiles()
        .Where(path => path.StartsWith("deploy/k8s/base/", StringComparison.Ordinal))
        .SelectMany(Repository.Documents)
        .Where(document => document.Text("kind") == "Deployment")
        .Select(document => new Manifest(document))];

    /// <summary>The environment as the cluster would make it, with the configuration of the base and the secrets of the development overlay.</summary>
    public Dictionary<string, string> Environment(string podIp)
    {
        var environment = new Dictionary<string, string>(Repository.ImageEnvironment(), StringComparer.Ordinal);
        foreach (var entry in Container.Items("envFrom").Select(source => source.Text("configMapRef", "name")).SelectMany(ConfigMap))
            environment[entry.Key] = entry.Value;

        foreach (var variable in Container.Items("env"))
        {
            var value = variable.Text("value")
                ?? (variable.Text("valueFrom", "fieldRef", "fieldPath") == "status.podIP" ? podIp : null)
                ?? Secret(variable.Text("valueFrom", "secretKeyRef", "name")!, variable.Text("valueFrom", "secretKeyRef", "key")!);
            foreach (var (name, known) in environment)
                value = value.Replace($"$({name})", known, StringComparison.Ordinal);
            environment[variable.Text("name")!] = value;
        }

        return environment;
    }

    private static Dictionary<string, string> ConfigMap(string? name) => Repository.Documents("deploy/k8s/base/config.yaml")
        .Where(document => document.Text("metadata", "name") == name)
        .SelectMany(document => ((YamlMappingNode)document.At("data")!).Children)
        .ToDictionary(entry => ((YamlScalarNode)entry.Key).Value!, entry => ((YamlScalarNode)entry.Value).Value!, StringComparer.Ordinal);

    private static string Secret(string name, string key) => Repository.Documents("deploy/k8s/dev/kustomization.yaml").Single()
        .Items("secretGenerator").Single(secret => secret.Text("name") == name)
        .Items("literals").Select(literal => ((YamlScalarNode)literal).Value!.Split('=', 2)).Single(literal => literal[0] == key)[1];
}
