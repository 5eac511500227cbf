using System.Security.Cryptography;
using CsCheck;
using Microsoft.Extensions.Configuration;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Topology;

namespace OpenWop.Micro.Secrets.Tests;

public sealed class KeyedDigestTests
{
    private readonly string _key = NewKey();

    [Fact]
    public void A_digest_matches_its_data_and_no_other() =>
        Gen.Select(Gen.Byte.Array[0, 100], Gen.Byte.Array[0, 100]).Sample((data, other) =>
        {
            var digests = Digests(_key);
            var digest = digests.Of(data);
            Assert.Equal(KeyedDigest.Size, digest.Length);
            Assert.True(digests.Matches(digest, data));
            Assert.Equal(data.AsSpan().SequenceEqual(other), digests.Matches(digest, other));
            Assert.False(digests.Matches(digest.AsSpan(1), data));
        }, iter: 200);

    [Fact]
    public void Only_who_has_the_key_can_tell()
    {
        var digest = Digests(_key).Of("weak"u8);
        Assert.False(Digests(NewKey()).Matches(digest, "weak"u8));
        Assert.True(Digests($"{NewKey()},{_key}").Matches(digest, "weak"u8));
        Assert.NotEqual(digest, Digests($"{NewKey()},{_key}").Of("weak"u8));
    }

    [Fact]
    public void A_seed_always_gives_the_same_value_and_not_to_others()
    {
        var seed = Digests(_key).NewSeed();
        var blinded = Digests(_key).Blind(seed);
        Assert.Equal(blinded, Digests($"{NewKey()},{_key}").Blind(seed));
        Assert.NotEqual(blinded, Digests(NewKey()).Blind(seed));
        Assert.NotEqual(blinded, Digests(_key).Blind(Digests(_key).NewSeed()));
    }

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private static KeyedDigest Digests(string keys)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(SealingKeys.Setting, keys)]).Build();
        var services = new HostedServices();
        services.Add("identity");
        services.Add("runs");
        return new KeyedDigest(SealingKeys.Load(configuration, new ServiceSecret(configuration, services), "identity secrets"));
    }
}
