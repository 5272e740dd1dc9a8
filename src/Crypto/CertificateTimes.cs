using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace ChordChat.Crypto;

/// <summary>What an authority's signature under a certificate says at one moment.</summary>
public enum IssueVerdict
{
    Issued,

    /// <summary>By this authority, for a time that begins later by this machine's clock.</summary>
    NotYetValid,

    /// <summary>By this authority, for a time that is over by this machine's clock.</summary>
    Expired,

    /// <summary>Not by this authority.</summary>
    Foreign,
}

/// <summary>Tells a certificate of somebody else from one that is only not valid now: a wrong clock must not look like
/// another cluster.</summary>
public static class CertificateTimes
{
    /// <summary>Whether <paramref name="authority"/> issued a certificate, and whether both are valid at
    /// <paramref name="now"/>.</summary>
    public static IssueVerdict Judge(X509Certificate2 presented, X509Certificate2 authority, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        if (chain.Build(presented))
            return IssueVerdict.Issued;
        if (chain.ChainStatus.Any(status => status.Status != X509ChainStatusFlags.NotTimeValid))
            return IssueVerdict.Foreign;
        return Starts(presented, authority) > now ? IssueVerdict.NotYetValid : IssueVerdict.Expired;
    }

    /// <summary>What is wrong with the time, and what to do.</summary>
    /// <param name="whose">"this node's", "that of 10.0.0.5:7401".</param>
    public static string InWords(
        IssueVerdict verdict, X509Certificate2 presented, X509Certificate2 authority, string whose, DateTimeOffset now)
    {
        var clock = Day(now);
        return verdict is IssueVerdict.NotYetValid
            ? $"this machine's clock says {clock}, and {whose} certificate is valid only from "
                + $"{Day(Starts(presented, authority))}: set the clock"
            : $"this machine's clock says {clock}, and {whose} certificate expired at "
                + $"{Day(Ends(presented, authority))}: set the clock if it is wrong; otherwise the operator renews it "
                + "with 'chordchat-node cluster renew'";
    }

    /// <summary>When a certificate stops being good, its authority's end included.</summary>
    public static DateTimeOffset Ends(X509Certificate2 presented, X509Certificate2 authority) =>
        new(Earlier(presented.NotAfter, authority.NotAfter).ToUniversalTime());

    private static DateTimeOffset Starts(X509Certificate2 presented, X509Certificate2 authority) => new(
        (presented.NotBefore > authority.NotBefore ? presented.NotBefore : authority.NotBefore).ToUniversalTime());

    private static DateTime Earlier(DateTime a, DateTime b) => a < b ? a : b;

    private static string Day(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
