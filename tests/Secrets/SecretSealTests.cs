using System.Security.Cryptography;
using CsCheck;
using Microsoft.Extensions.Configuration;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Topology;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Secrets.Tests;

public sealed class SecretSealTests
{
    private static readonly byte[] Value = "sk-not-a-real-key"u8.ToArray();

    [Fact]
    public void A_sealed_value_opens_with_the_same_owner_and_with_no_other()
    {
        var seal = new SecretSeal(Keys(NewKey()));
        Gen.Select(Gen.Byte.Array[0, 300], Gen.String[0, 20], Gen.String[0, 20]).Sample((value, tenant, id) =>
        {
            var text = seal.Seal(value, tenant, id);
            Assert.Equal(value.Length + SecretSeal.Overhead, text.Length);
            Assert.Equal(value, seal.Open(text, tenant, id));
            Assert.ThrowsAny<CryptographicException>(() => seal.Open(text, tenant + "x", id));
            Assert.ThrowsAny<CryptographicException>(() => seal.Open(text, tenant + id));
            Assert.ThrowsAny<CryptographicException>(() => seal.Open(text, tenant, id, ""));
        }, iter: 200);
    }

    [Fact]
    public void Every_byte_counts()
    {
        var seal = new SecretSeal(Keys(NewKey()));
        var text = seal.Seal(Value, "acme", "key");
        for (var i = 0; i < text.Length; i++)
        {
            var altered = (byte[])text.Clone();
            altered[i] ^= 0x40;
            Assert.ThrowsAny<CryptographicException>(() => seal.Open(altered, "acme", "key"));
            Assert.ThrowsAny<CryptographicException>(() => seal.Open(text.AsSpan(0, i), "acme", "key"));
        }
    }

    [Fact]
    public void Two_seals_of_one_value_have_nothing_in_common_but_the_key_id()
    {
        var seal = new SecretSeal(Keys(NewKey()));
        var first = seal.Seal(Value, "acme", "key");
        var second = seal.Seal(Value, "acme", "key");
        Assert.NotEqual(first[9..], second[9..]);
        Assert.Equal(-1, first.AsSpan().IndexOf(Value.AsSpan(0, 4)));
    }

    [Fact]
    public void After_a_rotation_old_values_open_and_are_sealed_again_with_the_new_key()
    {
        string former = NewKey(), next = NewKey();
        var old = new SecretSeal(Keys(former)).Seal(Value, "acme", "key");

        var keys = Keys($"{next}, {former}");
        var seal = new SecretSeal(keys);
        Assert.Equal(Value, seal.Open(old, "acme", "key"));
        Assert.False(SecretSeal.KeyIdOf(old).Span.SequenceEqual(keys.CurrentId.Span));

        var again = seal.SealAgain(old, "acme", "key");
        Assert.True(SecretSeal.KeyIdOf(again).Span.SequenceEqual(keys.CurrentId.Span));
        Assert.Equal(Value, new SecretSeal(Keys(next)).Open(again, "acme", "key"));
        Assert.ThrowsAny<CryptographicException>(() => new SecretSeal(Keys(next)).Open(old, "acme", "key"));
    }

    [Fact]
    public void Purposes_have_keys_of_their_own()
    {
        var key = NewKey();
        var text = new SecretSeal(Keys(key)).Seal(Value, "acme", "key");
        Assert.ThrowsAny<CryptographicException>(() => new SecretSeal(Keys(key, "webhook secrets")).Open(text, "acme", "key"));
    }

    [Fact]
    public void Without_a_setting_the_key_comes_from_the_service_secret()
    {
        var text = Seal(("OPENWOP_SERVICE_SECRET", new string('s', 40))).Seal(Value, "acme", "key");
        Assert.Equal(Value, Seal(("OPENWOP_SERVICE_SECRET", new string('s', 40))).Open(text, "acme", "key"));
        Assert.ThrowsAny<CryptographicException>(() => Seal(("OPENWOP_SERVICE_SECRET", new string('t', 40))).Open(text, "acme", "key"));
    }

    [Fact]
    public void Without_either_the_key_is_a_file_that_only_its_owner_reads()
    {
        using var folder = new TempFolder();
        var text = Seal(("OPENWOP_DATA", folder.Path)).Seal(Value, "acme", "key");
        Assert.Equal(Value, Seal(("OPENWOP_DATA", folder.Path)).Open(text, "acme", "key"));

        var file = Assert.Single(Directory.GetFiles(folder.Path));
        Assert.Equal("identity-secrets.key", Path.GetFileName(file));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Theory]
    [InlineData("short")]
    [InlineData("AAAA")]
    [InlineData(",")]
    [InlineData("not base64 at all, though it has the length that a key would have")]
    public void A_setting_that_is_no_key_ends_the_start_and_is_not_repeated(string setting)
    {
        var exception = Assert.Throws<InvalidOperationException>(() => Keys(setting));
        Assert.Contains(SealingKeys.Setting, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("AAAA", exception.Message, StringComparison.Ordinal);
    }

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private static SealingKeys Keys(string setting, string purpose = "identity secrets") => Load(purpose, (SealingKeys.Setting, setting));

    private static SecretSeal Seal(params (string Name, string Value)[] settings) => new(Load("identity secrets", settings));

    private static SealingKeys Load(string purpose, params (string Name, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build();
        var services = new HostedServices();
        services.Add("identity");
        services.Add("runs");
        return SealingKeys.Load(configuration, new ServiceSecret(configuration, services), purpose);
    }
}
