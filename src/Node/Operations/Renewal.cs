using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ChordChat.Crypto;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;

namespace ChordChat.Node.Operations;

/// <summary>Takes a new certificate for the key that this node has, while it runs; and warns before one ends.</summary>
/// <remarks>docs/operations.md#certificates-expire.</remarks>
internal sealed partial class Renewal(
    NodeIdentity identity, ClusterTls tls, DataFolder folder, PeerChannels channels, TimeProvider time,
    ILogger<Renewal> logger) : ILoop
{
    public const string Path = "/certificate";
    public static readonly TimeSpan WarnBefore = TimeSpan.FromDays(30);
    private const int PemBytesMax = 16 << 10;
    private static readonly TimeSpan LookEvery = TimeSpan.FromDays(1);
    private readonly Lock _turn = new();

    /// <summary>Puts it on the disk, then into use: new connections show it, the open ones go on.</summary>
    /// <returns>False, and nothing changes, unless it is this node's own: same key, name and place, issued by the
    /// authority, and good for longer.</returns>
    public bool Take(string pem)
    {
        lock (_turn)
        {
            if (Parse(pem) is not { } renewed)
                return false;
            using (renewed)
            {
                var now = time.GetUtcNow();
                if (NodeCertificate.Read(renewed) is not { } told || told.Node != identity.Self.Node
                    || told.Position != identity.Self.Position || told.Name != identity.Self.Name
                    || identity.Trust.Judge(renewed, now) is not IssueVerdict.Issued
                    || renewed.NotAfter <= tls.Certificate.NotAfter)
                    return false;
                PrivateFiles.Write(
                    System.IO.Path.Combine(folder.Path, $"{NodeIdentity.KeyName}.crt"),
                    Encoding.ASCII.GetBytes(renewed.ExportCertificatePem()));
            }

            tls.Renew(CertificateFiles.Read(folder.Path, NodeIdentity.KeyName));
            channels.RetireAll();
            LogRenewed(Day(tls.Certificate.NotAfter));
            return true;
        }
    }

    public static void Map(WebApplication app)
    {
        var (renewal, tls) =
            (app.Services.GetRequiredService<Renewal>(), app.Services.GetRequiredService<ClusterTls>());
        app.MapGet(Path, context => context.Response.WriteAsync(
            tls.Certificate.ExportCertificatePem(), context.RequestAborted)).OpenTo(Callers.Operators);
        app.MapPut(Path, async context =>
        {
            var body = new byte[PemBytesMax];
            var length = await context.Request.Body.ReadAtLeastAsync(
                body, body.Length, throwOnEndOfStream: false, context.RequestAborted);
            context.Response.StatusCode = renewal.Take(Encoding.ASCII.GetString(body, 0, length))
                ? StatusCodes.Status204NoContent
                : StatusCodes.Status400BadRequest;
        }).OpenTo(Callers.Operators);
    }

    /// <summary>What expires within 30 days, and what to type; nothing while all is well.</summary>
    public static IEnumerable<(string What, string Remedy)> Warnings(
        X509Certificate2 certificate, string name, X509Certificate2 authority, DateTimeOffset now)
    {
        if (certificate.NotAfter.ToUniversalTime() - now.UtcDateTime < WarnBefore)
            yield return (
                $"this node's certificate expires at {Day(certificate.NotAfter)}",
                $"type on the machine with DIR/cluster: chordchat-node cluster renew {name} --data DIR");
        if (authority.NotAfter.ToUniversalTime() - now.UtcDateTime < WarnBefore)
            yield return (
                $"the certificate of the cluster's authority expires at {Day(authority.NotAfter)}",
                "it cannot be renewed: make a new cluster before then");
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            foreach (var (what, remedy) in Warnings(
                tls.Certificate, identity.Self.Name, identity.Trust.Authority, time.GetUtcNow()))
                LogEndsSoon(what, remedy);
            await Task.Delay(LookEvery, time, stopping);
        }
    }

    private static X509Certificate2? Parse(string pem)
    {
        try
        {
            return X509Certificate2.CreateFromPem(pem);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static string Day(DateTime until) =>
        until.ToUniversalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    [LoggerMessage(7022, LogLevel.Information, "this node's certificate was renewed: it is valid until {Until}")]
    private partial void LogRenewed(string until);

    [LoggerMessage(7023, LogLevel.Warning, "{What}; {Remedy}")]
    private partial void LogEndsSoon(string what, string remedy);
}
