using OpenWop.Micro.Contracts.Workflows.V1;
using OpenWop.Micro.Testing;
using static OpenWop.Micro.Workflows.Tests.WorkflowsHost;

namespace OpenWop.Micro.Workflows.Tests;

public sealed class SeedingTests
{
    private static readonly string PublishedFixtures = Path.Combine(AppContext.BaseDirectory, "Fixtures", "workflows");

    [Fact]
    public async Task All_published_fixtures_are_seeded_verbatim_and_seeding_again_makes_no_versions()
    {
        using var data = new TempFolder();
        for (var start = 0; start < 2; start++)
        {
            await using var host = await StartAsync(data.Path, $"OPENWOP_FIXTURES={PublishedFixtures}");
            var files = Directory.GetFiles(PublishedFixtures, "*.json");
            var seeded = await host.Client.ListDefinitionsAsync(new ListDefinitionsRequest { Tenant = "*", WithJson = true, Limit = 500 });

            Assert.Equal(files.Length, seeded.Definitions.Count);
            Assert.All(seeded.Definitions, definition => Assert.Equal((1, "*"), (definition.Version, definition.Owner)));
            foreach (var file in files)
            {
                var bytes = await File.ReadAllBytesAsync(file);
                Assert.Contains(seeded.Definitions, definition => definition.Json.Span.SequenceEqual(bytes));
            }
        }
    }

    [Fact]
    public async Task A_changed_file_makes_a_version()
    {
        using var data = new TempFolder();
        using var seeds = new TempFolder();
        foreach (var name in (string[])["One", "Two"])
        {
            await File.WriteAllTextAsync(seeds.File("w.json"), Definition("w", name));
            await using var host = await StartAsync(data.Path, $"OPENWOP_FIXTURES={seeds.Path}");
            Assert.Equal(Definition("w", name), (await host.GetAsync("w", tenant: "acme")).Json.ToStringUtf8());
        }

        await using var last = await StartAsync(data.Path);
        Assert.Equal(2, (await last.GetAsync("w", tenant: "acme")).Version);
    }

    [Fact]
    public async Task Files_that_cannot_be_used_are_passed_over()
    {
        using var seeds = new TempFolder();
        await File.WriteAllTextAsync(seeds.File("a-broken.json"), "{");
        await File.WriteAllTextAsync(seeds.File("b-other.json"), """{"some":"document"}""");
        await File.WriteAllTextAsync(seeds.File("c-empty.json"), "");
        await File.WriteAllBytesAsync(seeds.File("d-huge.json"), new byte[5 << 20]);
        await File.WriteAllTextAsync(seeds.File("e-text.txt"), Definition("text"));
        await File.WriteAllTextAsync(seeds.File("f-duplicate.json"), """{"id":"x","id":"y"}""");
        Directory.CreateDirectory(seeds.File("g-folder.json"));
        await File.WriteAllTextAsync(seeds.File("z-good.json"), Definition("good"));

        await using var host = await StartAsync(null, $"OPENWOP_FIXTURES={seeds.Path}");

        var seeded = await host.Client.ListDefinitionsAsync(new ListDefinitionsRequest { Tenant = "*" });
        Assert.Equal("good", Assert.Single(seeded.Definitions).WorkflowId);
    }

    [Fact]
    public async Task A_folder_that_is_missing_does_not_keep_the_service_from_starting()
    {
        await using var host = await StartAsync(null, "OPENWOP_FIXTURES=/nowhere/at/all");

        Assert.Empty((await host.Client.ListDefinitionsAsync(new ListDefinitionsRequest { Tenant = "*" })).Definitions);
    }
}
