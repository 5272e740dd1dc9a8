using ChordChat.Crypto;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ChordChat.Node.Identity;

/// <summary>Who is at the other end of a connection, as its certificate proves; found once for each
/// connection.</summary>
/// <param name="Node">The member, or null for clients and strangers.</param>
/// <param name="IsOperator">The holder of the authority's key.</param>
/// <param name="IsViewer">A page that the operator lets name who is online.</param>
/// <param name="Denied">In words, when its certificate was revoked; it is nothing else then.</param>
internal sealed record CallerIdentity(
    NodeCertificate? Node, bool IsOperator, bool IsViewer = false, string? Denied = null)
{
    private static readonly CallerIdentity Nobody = new(null, false);

    /// <summary>When an operator's or a viewer's certificate ends: a connection may be open for much longer.</summary>
    public DateTimeOffset? Ends { get; init; }

    /// <summary>Runs after TLS and before HTTP, so that every request of the connection can ask who calls.</summary>
    public static void Identify(ListenOptions listen, ClusterTrust trust)
    {
        var denials = listen.ApplicationServices.GetRequiredService<Denials>();
        listen.Use(async (ConnectionContext connection, Func<Task> next) =>
        {
            var tls = connection.Features.Get<ITlsConnectionFeature>();
            // Followed first: a list that comes in between ends the connection, or is seen here.
            using var followed = tls?.ClientCertificate is { } own ? denials.Follow(connection, own) : null;
            connection.Features.Set(Of(tls, trust));
            await next();
        });
    }

    /// <summary>Whether it is told names of people who are online, not only how many there are.</summary>
    public bool MaySeeNames => IsOperator || IsViewer;

    /// <summary>As the certificate proves it when a call begins.</summary>
    public static CallerIdentity Of(HttpContext context) =>
        context.Features.Get<CallerIdentity>() is { } caller && !(caller.Ends < DateTimeOffset.UtcNow)
            ? caller
            : Nobody;

    private static CallerIdentity Of(ITlsConnectionFeature? tls, ClusterTrust trust)
    {
        if (tls?.ClientCertificate is not { } certificate)
            return Nobody;
        var caller = new CallerIdentity(
            trust.NodeOf(certificate), trust.IsOperator(certificate), trust.IsViewer(certificate),
            trust.Issued(certificate) ? trust.DenialOf(certificate)?.InWords("your") : null);
        return caller.MaySeeNames
            ? caller with { Ends = CertificateTimes.Ends(certificate, trust.Authority) }
            : caller;
    }
}
