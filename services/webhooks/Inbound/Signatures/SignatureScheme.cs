namespace OpenWop.Micro.Webhooks.Inbound.Signatures;

/// <summary>How a sender signs.</summary>
internal enum SignatureScheme
{
    /// <summary>As our own deliveries are signed; a sender that signs as GitHub does is welcome too.</summary>
    OpenWop,

    /// <summary><c>X-Hub-Signature-256</c> over the body. There is no time in it: only the delivery id keeps out what was sent before.</summary>
    GitHub,

    /// <summary><c>Stripe-Signature: t=…,v1=…</c> over time and body.</summary>
    Stripe,

    /// <summary><c>X-Slack-Signature: v0=…</c> over version, time and body.</summary>
    Slack,
}

/// <summary>The schemes and their names in documents.</summary>
internal static class SignatureSchemes
{
    public static readonly IReadOnlyList<string> Names = ["openwop", "github", "stripe", "slack"];

    public static string NameOf(SignatureScheme scheme) => Names[(int)scheme];

    public static SignatureScheme? Find(string name) => Names.ToList().IndexOf(name) is >= 0 and var index ? (SignatureScheme)index : null;
}
