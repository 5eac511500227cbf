using Microsoft.Extensions.DependencyInjection;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity.Tests;

/// <summary>Looks and reaches into identity's database behind its back.</summary>
internal static class TestDatabase
{
    public static Task ExecuteAsync(IdentityHost host, string sql) => Of(host).WriteAsync(session => session.ExecuteAsync(sql), CancellationToken.None);

    public static async Task<T?> ScalarAsync<T>(IdentityHost host, string sql)
    {
        await using var session = await Of(host).OpenReadAsync(CancellationToken.None);
        return await session.ScalarAsync<T>(sql);
    }

    private static Database Of(IdentityHost host) => host.Services.GetRequiredKeyedService<Database>("identity");
}
