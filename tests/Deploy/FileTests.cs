using YamlDotNet.RepresentationModel;

namespace OpenWop.Micro.Deploy.Tests;

/// <summary>What can be seen without starting anything: the files fit each other and the code.</summary>
public sealed class FileTests
{
    [Fact]
    public void Every_file_parses_and_says_what_it_is()
    {
        foreach (var path in Repository.YamlFiles().Where(path => path != "docker-compose.yml"))
        {
            foreach (var document in Repository.Documents(path))
            {
                Assert.False(string.IsNullOrEmpty(document.Text("apiVersion")), path);
                Assert.False(string.IsNullOrEmpty(document.Text("kind")), path);
            }
        }

        Assert.NotNull(Repository.Documents("docker-compose.yml").Single().At("services"));
    }

    [Fact]
    public void Every_file_belongs_to_a_kustomization_and_every_kustomization_finds_its_files()
    {
        var named = new HashSet<string>();
        foreach (var path in Repository.YamlFiles().Where(path => Path.GetFileName(path) == "kustomization.yaml"))
        {
            var folder = Path.GetDirectoryName(path)!;
            var kustomization = Repository.Documents(path).Single();
            var files = kustomization.Items("resources").Select(item => ((YamlScalarNode)item).Value!)
                .Concat(kustomization.Items("patches").Select(patch => patch.Text("path")!))
                .Concat(kustomization.Items("configMapGenerator").SelectMany(map => map.Items("files")).Select(file => ((YamlScalarNode)file).Value!));
            foreach (var file in files.Select(file => Path.GetRelativePath(Repository.Root, Path.GetFullPath(Path.Combine(Repository.Root, folder, file)))))
            {
                Assert.True(Path.Exists(Path.Combine(Repository.Root, file)), $"{path} names {file}");
                named.Add(file);
            }
        }

        Assert.All(
            Repository.YamlFiles().Where(path => path.StartsWith("deploy/k8s/", StringComparison.Ordinal) && Path.GetFileName(path) != "kustomization.yaml"),
            path => Assert.Contains(path, named));
    }

    [Fact]
    public void Every_service_has_a_manifest_and_a_container_that_start_it()
    {
        Assert.Equal(Repository.Services, Manifest.All.Select(manifest => manifest.Name).Order(StringComparer.Ordinal));
        Assert.All(Manifest.All, manifest => Assert.Equal([manifest.Name], manifest.Arguments));

        var compose = Repository.Documents("docker-compose.yml").Single();
        foreach (var service in Repository.Services)
            Assert.Equal([service], compose.Items("services", service, "command").Select(item => ((YamlScalarNode)item).Value));
    }

    [Fact]
    public void Ports_and_images_are_the_same_everywhere()
    {
        var port = Repository.ImageEnvironment()["ASPNETCORE_HTTP_PORTS"];
        Assert.Contains($"\nEXPOSE {port}\n", Repository.Read("Dockerfile"));
        Assert.All(Manifest.All, manifest => Assert.Equal(port, manifest.Port.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        Assert.All(Manifest.All, manifest => Assert.Equal("openwop-micro", manifest.Container.Text("image")));
        Assert.Equal("openwop-micro", Repository.Documents("docker-compose.yml").Single().Text("x-service", "image"));
    }

    [Fact]
    public void Every_setting_that_is_set_exists()
    {
        var known = Repository.KnownSettings();
        foreach (var path in Repository.YamlFiles().Append(".env.example").Append("Dockerfile"))
        {
            foreach (var name in Repository.SettingName().Matches(Repository.Read(path)).Select(match => match.Value).Where(name => !name.EndsWith("_PASSWORD", StringComparison.Ordinal)))
                Assert.True(known.Contains(name), $"{path} sets {name}, which docs/configuration.md does not know");
        }
    }

    [Fact]
    public void Passwords_of_roles_are_those_that_the_script_reads()
    {
        var script = Repository.Read("deploy/sql/roles.sql");
        foreach (var path in new[] { "docker-compose.yml", ".env.example", "deploy/k8s/dev/servers.yaml" })
        {
            foreach (var name in Repository.SettingName().Matches(Repository.Read(path)).Select(match => match.Value).Where(name => name.EndsWith("_PASSWORD", StringComparison.Ordinal)))
                Assert.Contains($"\\getenv {name[8..].ToLowerInvariant()} {name}\n", script);
        }
    }

    [Fact]
    public void Every_service_is_scaled_in_production_within_what_it_can_use()
    {
        var scalers = Repository.Documents("deploy/k8s/production/scaling.yaml").ToList();
        Assert.All(scalers, scaler => Assert.Equal("HorizontalPodAutoscaler", scaler.Text("kind")));
        Assert.Equal(Repository.Services, scalers.Select(scaler => scaler.Text("spec", "scaleTargetRef", "name")!).Order(StringComparer.Ordinal));
        foreach (var scaler in scalers)
        {
            var name = scaler.Text("metadata", "name");
            Assert.Equal(scaler.Text("spec", "scaleTargetRef", "name"), name);
            Assert.Equal(("apps/v1", "Deployment"), (scaler.Text("spec", "scaleTargetRef", "apiVersion"), scaler.Text("spec", "scaleTargetRef", "kind")));

            // One may die, and a deployment replaces one at a time.
            var (least, most) = (Number(scaler, "spec", "minReplicas"), Number(scaler, "spec", "maxReplicas"));
            Assert.True(least >= 2 && most > least, $"{name}: {least} to {most}");
            Assert.InRange(most, 3, name == "runs" ? ShardCount() : 16);

            // A share of what is asked for: without a request there is none.
            var container = Manifest.All.Single(manifest => manifest.Name == name).Container;
            Assert.NotNull(container.Text("resources", "requests", "cpu"));
            var metric = Assert.Single(scaler.Items("spec", "metrics"));
            Assert.Equal("cpu", metric.Text("resource", "name"));
            Assert.InRange(Number(metric, "resource", "target", "averageUtilization"), 50, 85);
            Assert.True(Number(scaler, "spec", "behavior", "scaleDown", "stabilizationWindowSeconds") >= 300, name);
        }

        // Otherwise each deployment would set back what the scaler has set.
        Assert.All(Repository.YamlFiles().Where(path => path.StartsWith("deploy/k8s/base/", StringComparison.Ordinal)), path => Assert.DoesNotContain("replicas:", Repository.Read(path)));
    }

    private static int Number(YamlNode node, params string[] path) => int.Parse(node.Text(path)!, System.Globalization.CultureInfo.InvariantCulture);

    private static int ShardCount() => int.Parse(
        System.Text.RegularExpressions.Regex.Match(Repository.Read("services/runs/Shards/ShardService.cs"), "ShardCount = ([0-9]+);").Groups[1].Value,
        System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public void Containers_run_without_rights_and_end_later_than_the_process_drains()
    {
        foreach (var manifest in Manifest.All)
        {
            Assert.Equal("true", manifest.Pod.Text("securityContext", "runAsNonRoot"));
            Assert.Equal("false", manifest.Pod.Text("automountServiceAccountToken"));
            Assert.Equal("true", manifest.Container.Text("securityContext", "readOnlyRootFilesystem"));
            Assert.Equal("false", manifest.Container.Text("securityContext", "allowPrivilegeEscalation"));
            var grace = int.Parse(manifest.Pod.Text("terminationGracePeriodSeconds")!, System.Globalization.CultureInfo.InvariantCulture);
            var pause = int.Parse(manifest.Container.Text("lifecycle", "preStop", "sleep", "seconds")!, System.Globalization.CultureInfo.InvariantCulture);
            Assert.True(grace - pause >= 15, manifest.Name);
        }

        Assert.Contains("\nUSER $APP_UID\n", Repository.Read("Dockerfile"));
    }
}
