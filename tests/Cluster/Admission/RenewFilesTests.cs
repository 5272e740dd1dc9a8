using ChordChat.Node.Base;
using ChordChat.Node.Commands;
using Xunit;

namespace ChordChat.Tests.Cluster.Admission;

/// <summary>docs/operations.md#certificates-expire: nodes that do not run.</summary>
public sealed class RenewFilesTests
{
    [Fact]
    public async Task A_folder_whose_certificate_is_none_keeps_no_other_from_being_renewed()
    {
        await using var cluster = Founded.Of(4, DateTimeOffset.UtcNow.AddDays(-40));
        var before = cluster.Identity("n4").Certificate.NotAfter;
        File.WriteAllText(CertificateOf(cluster, "n1"), "no certificate\n");
        File.WriteAllText(CertificateOf(cluster, "n2"), "");
        // As on a disk that takes nothing.
        Directory.CreateDirectory($"{CertificateOf(cluster, "n3")}.{Environment.ProcessId}.new");
        using var authority = cluster.Cluster.OpenAuthority();

        var code = await RenewCommand.RenewAsync(
            cluster.Cluster, authority, [], all: true, [], CancellationToken.None);

        Assert.Equal((int)ExitCode.Storage, code);
        Assert.True(cluster.Identity("n4").Certificate.NotAfter > before.AddDays(39));
    }

    private static string CertificateOf(Founded cluster, string name) =>
        Path.Combine(cluster.Cluster.NodeFolder(name), "identity.crt");
}
