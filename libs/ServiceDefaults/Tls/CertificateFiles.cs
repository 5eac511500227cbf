using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace OpenWop.Micro.ServiceDefaults.Tls;

/// <summary>
/// The certificate that this process shows to the others of the installation, and the authorities whose certificates it accepts, from PEM
/// files. Files that are replaced are read again within <see cref="Freshness"/>, for connections that are made from then on; while they
/// cannot be read, what was read before stays.
/// </summary>
internal sealed partial class CertificateFiles(string certificate, string key, string authorities, TimeProvider time, ILogger<CertificateFiles> logger)
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private Content? _content;
    private long _lookedAt;
    private DateTime _writtenAt;

    /// <exception cref="InvalidOperationException">The files have never been readable.</exception>
    public Content Current
    {
        get
        {
            lock (_gate)
            {
                if (_content is null || time.GetElapsedTime(_lookedAt) > Freshness)
                    Look();

                return _content!;
            }
        }
    }

    private void Look()
    {
        _lookedAt = time.GetTimestamp();
        try
        {
            var written = new[] { certificate, key, authorities }.Max(File.GetLastWriteTimeUtc);
            if (_content is not null && written == _writtenAt)
                return;

            _content = Read();
            _writtenAt = written;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            if (_content is null)
                throw new InvalidOperationException($"The certificate files of the installation cannot be used: {exception.Message}", exception);

            Log.NotReadable(logger, exception);
        }
    }

    private Content Read()
    {
        var own = X509Certificate2.CreateFromPemFile(certificate, key);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(certificate);
        chain.RemoveAt(0);
        var trusted = new X509Certificate2Collection();
        trusted.ImportFromPemFile(authorities);
        return trusted.Count > 0
            ? new Content(own, SslStreamCertificateContext.Create(own, chain, offline: true), trusted)
            : throw new ArgumentException("There is no certificate of an authority.");
    }

    /// <param name="Own">With its private key.</param>
    /// <param name="Shown">The same with the certificates between it and its authority.</param>
    internal sealed record Content(X509Certificate2 Own, SslStreamCertificateContext Shown, X509Certificate2Collection Authorities);

    private static partial class Log
    {
        [LoggerMessage(EventId = 2201, Level = LogLevel.Error, Message = "The certificate files have changed and cannot be read; the old ones stay in use")]
        public static partial void NotReadable(ILogger logger, Exception exception);
    }
}
