using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Node.Base;

namespace ChordChat.Node.Identity;

/// <summary>The two sides of an invite: the operator leaves a sealed identity at a node, the new machine fetches
/// it.</summary>
internal static class Invitation
{
    private static readonly TimeSpan CallMax = TimeSpan.FromSeconds(10);

    /// <summary>More than any honest answer has.</summary>
    private const int AnswerBytesMax = 2 * Invites.BundleBytesMax;

    /// <summary>Enrols a new node and leaves what it needs at a running one.</summary>
    /// <param name="at">host:port of the running node, as the new machine will reach it.</param>
    public static async Task<JoinToken> InviteAsync(
        ClusterFolder cluster, string at, string? name, TimeSpan life, DateTimeOffset now,
        CancellationToken cancellation)
    {
        using var authority = cluster.OpenAuthority();
        var trust = new ClusterTrust(authority.Certificate, cluster.DenyList(authority));
        using var own = authority.IssueOperator(now);
        using var http = Client(ClusterTls.CreateHandler(trust, own));
        (await CallAsync(at, () => http.GetAsync($"https://{at}/healthz", cancellation))).Dispose();

        // First: whoever is enrolled has taken a name.
        var (genesis, secret) = (cluster.ReadGenesisFile(), cluster.ReadSecret());
        var identity = cluster.Enrol(authority, name, now);
        var token = JoinToken.Create(now + life, trust, identity.Name, at);
        var bundle = new JoinBundle(identity, genesis, secret).Seal(token);
        var expires = token.Expires.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        using var content = new ByteArrayContent(bundle);
        using var reply = await CallAsync(
            at, () => http.PutAsync($"https://{at}/invites/{token.BundleId}?expires={expires}", content, cancellation));
        if (!reply.IsSuccessStatusCode)
            throw new StartRefusedException(
                ExitCode.Unreachable, $"{at} did not take the invite ({(int)reply.StatusCode}): too many are waiting, "
                + "or its clock differs by hours from this machine's.");
        return token;
    }

    /// <summary>Fetches the identity that the token stands for. The token is used up by it.</summary>
    public static async Task<JoinBundle> FetchAsync(JoinToken token, DateTimeOffset now, CancellationToken cancellation)
    {
        if (token.Expires < now)
            throw new StartRefusedException(
                ExitCode.Usage, $"the token expired at {token.Expires:u}. Ask for a new one ('chordchat-node cluster "
                + "invite'), and check this machine's clock.");
        using var authority = await AuthorityAsync(token, cancellation);
        var trust = new ClusterTrust(authority);
        using var http = Client(ClusterTls.CreateHandler(trust, null));
        using var reply = await CallAsync(
            token.Address, () => http.PostAsync($"https://{token.Address}/join/{token.BundleId}", null, cancellation));
        if (reply.StatusCode == HttpStatusCode.NotFound)
            throw new StartRefusedException(
                ExitCode.Unreachable, $"{token.Address} knows nothing of this token: it was used already, it expired, "
                + "or that node was restarted. Ask for a new one ('chordchat-node cluster invite').");
        return JoinBundle.Open(await reply.Content.ReadAsByteArrayAsync(cancellation), token)
            ?? throw new StartRefusedException(
                ExitCode.Unreachable, $"what {token.Address} sent does not open with this token. Ask for a new one.");
    }

    // The only call whose answer nobody vouches for: what comes back must hash to what the token says.
    private static async Task<X509Certificate2> AuthorityAsync(JoinToken token, CancellationToken cancellation)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false };
#pragma warning disable CA5359 // The fingerprint decides, one line below.
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        using var http = Client(handler);
        using var reply = await CallAsync(
            token.Address, () => http.GetAsync($"https://{token.Address}/authority", cancellation));
        var certificate = await reply.Content.ReadAsByteArrayAsync(cancellation);
        if (!CryptographicOperations.FixedTimeEquals(SHA256.HashData(certificate), token.Fingerprint))
            throw new StartRefusedException(
                ExitCode.Foreign, $"{token.Address} is not of the cluster that the token is for. Somebody else "
                    + "answers there.");
        return X509CertificateLoader.LoadCertificate(certificate);
    }

    private static HttpClient Client(HttpMessageHandler handler) =>
        new(handler) { Timeout = CallMax, MaxResponseContentBufferSize = AnswerBytesMax };

    private static async Task<HttpResponseMessage> CallAsync(string at, Func<Task<HttpResponseMessage>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            throw new StartRefusedException(
                ExitCode.Unreachable, $"no node of this cluster answers at {at} "
                + $"({e.InnerException?.Message ?? e.Message}). Is it running, is the port open between these "
                + "machines, is it of this cluster?");
        }
    }
}
