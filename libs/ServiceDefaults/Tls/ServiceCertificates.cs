using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace OpenWop.Micro.ServiceDefaults.Tls;

/// <summary>
/// Mutual TLS between the processes of an installation. Each has a certificate of the installation's own authority. Of a server it has to
/// name the host that was called or the service (<c>runs</c>), because instances are called by addresses that no certificate can know; of a
/// client the authority is enough, who it is and what it may do is said by its service token.
/// </summary>
public sealed class ServiceCertificates
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1";
    private const string ClientUse = "1.3.6.1.5.5.7.3.2";

    private readonly CertificateFiles _files;

    internal ServiceCertificates(CertificateFiles files) => _files = files;

    /// <summary>How connections to the instances of a service are secured.</summary>
    /// <param name="service">What certificates of its instances may be issued to.</param>
    public SslClientAuthenticationOptions ToCall(string service) => new()
    {
        LocalCertificateSelectionCallback = (_, _, _, _, _) => _files.Current.Own,
        RemoteCertificateValidationCallback = (connection, certificate, chain, _) =>
            certificate is X509Certificate2 shown && IsOurs(shown, chain, ServerUse) && (shown.MatchesHostname(((SslStream)connection).TargetHostName) || shown.MatchesHostname(service)),
    };

    /// <summary>
    /// Secures an endpoint. Whoever shows a certificate must show one of ours; who shows none gets through and is stopped by
    /// <see cref="CertificateRule"/>, because those who ask for the health of a process have none.
    /// </summary>
    internal void ToBeCalled(HttpsConnectionAdapterOptions https)
    {
        https.ServerCertificateSelector = (_, _) => _files.Current.Own;
        https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
        https.ClientCertificateValidation = (certificate, chain, _) => IsOurs(certificate, chain, ClientUse);
        https.OnAuthenticate = (_, ssl) =>
        {
            ssl.ServerCertificateSelectionCallback = null;
            ssl.ServerCertificateContext = _files.Current.Shown;
        };
    }

    /// <summary>Whether the files can be used.</summary>
    internal void Check() => _ = _files.Current;

    private bool IsOurs(X509Certificate2 certificate, X509Chain? sent, string use)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_files.Current.Authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(use));
        foreach (var between in sent?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
            chain.ChainPolicy.ExtraStore.Add(between.Certificate);

        return chain.Build(certificate);
    }
}
