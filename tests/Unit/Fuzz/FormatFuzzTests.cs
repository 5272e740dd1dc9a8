using System.Security.Cryptography;
using System.Text;
using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Discovery;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;
using ChordChat.Sdk.Nodes;
using Xunit;

namespace ChordChat.Tests.Unit.Fuzz;

/// <summary>docs/protocol.md#bad-input, for everything that is not protobuf: datagrams, words, records,
/// files.</summary>
public class FormatFuzzTests
{
    private static readonly byte[] Secret = new byte[32];
    private static readonly NodeId N1 = new(1, 1);

    private static readonly Beacon Beacon = new(
        new('a', 32), N1, "n1", new("10.0.0.5", 7401), 3, IsAlone: true, 1_764_000_000_000);

    private static readonly JoinToken Token = new(
        DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000), SHA256.HashData("authority"u8), new byte[16], "n6",
        "10.0.0.5:7401");

    [Fact]
    public void Datagrams()
    {
        var judge = new BeaconJudge(Beacon.Cluster, new(2, 2), Secret);
        var now = DateTimeOffset.FromUnixTimeMilliseconds(Beacon.SentMs);
        byte[][] corpus =
        [
            Beacon.Write(Secret), "chordchat? 1"u8.ToArray(), Query.Answer(Beacon.Cluster, "n1", Beacon.Address),
        ];
        FuzzRun.Bytes(corpus, 60_000, datagram =>
        {
            if (judge.Judge(datagram, now) is BeaconVerdict.Ours(var beacon))
                Assert.Equal(Beacon, beacon);
            if (Beacon.TryParse(datagram) is { } read)
                Assert.NotNull(new Uri($"https://{read.Address}"));
            if (MulticastQuestion.ParseAnswer(datagram) is { } address)
                Assert.NotNull(new Uri($"https://{address}"));
            if (ChordChat.Visualizer.Finding.MulticastQuestion.AddressIn(datagram) is { } shown)
                Assert.NotNull(new Uri($"https://{shown}"));
        });
    }

    [Fact]
    public void Words()
    {
        string[] words =
        [
            "10.0.0.5:7401", "[fd00::2]:7401", "node3.lan:0", "5a/7", "0/0", "ffffff/24", "alice", "a_b.c-1",
        ];
        FuzzRun.Bytes([.. words.Select(Encoding.UTF8.GetBytes)], 60_000, bytes =>
        {
            var text = Encoding.UTF8.GetString(bytes);
            if (HostPort.TryParse(text, out var at))
            {
                Assert.NotNull(new Uri($"https://{text}"));
                Assert.True(HostPort.TryParse(at.ToString(), out var again) && again == at);
            }

            if (TileId.TryParse(text, out var tile))
                Assert.Equal(text, tile.ToString());
            if (NodeAddresses.IsWellFormed(text))
                Assert.NotNull(new Uri($"https://{text}"));
            Assert.Equal(UserName.IsValid(text), ChordChat.Crypto.UserName.IsValid(text));
        });
    }

    [Fact]
    public void Tokens()
    {
        byte[][] corpus = [Encoding.ASCII.GetBytes(Token.ToString())];
        FuzzRun.Bytes(corpus, 20_000, bytes =>
        {
            if (JoinToken.TryParse(Encoding.UTF8.GetString(bytes)) is not { } token)
                return;
            Assert.NotNull(new Uri($"https://{token.Address}"));
            Assert.Equal(token.BundleId, JoinToken.TryParse(token.ToString())!.BundleId);
        });
    }

    [Fact]
    public void Bundles()
    {
        var whole = new JoinBundle(new("n6", "key", "certificate"), [1, 2], [3, 4]).Seal(Token);
        FuzzRun.Bytes([whole], 2_000, bytes =>
            Assert.True(JoinBundle.Open(bytes, Token) is null || bytes.SequenceEqual(whole)));
    }

    [Fact]
    public void Cluster_files()
    {
        using var authority = ClusterAuthority.Create(new byte[16], DateTimeOffset.UnixEpoch.AddYears(60));
        var genesis = new Genesis
        {
            Cluster = [.. new byte[16]],
            Founders = [new("n1", N1, new(5), [.. new byte[16]])],
        };
        var file = GenesisFile.Write(genesis, authority);
        FuzzRun.Bytes([file], 1_500, bytes => GenesisFile.Read(bytes).Authority.Dispose(), typeof(FormatException));
    }

    /// <summary>Signed by the authority, yet not what it should be: the text is changed before it is signed.</summary>
    [Fact]
    public void Signed_cluster_files()
    {
        using var authority = ClusterAuthority.Create(new byte[16], DateTimeOffset.UnixEpoch.AddYears(60));
        string[] texts =
        [
            "{}", "null", "1", "[]", """{"cluster":null}""", """{"cluster":"00","founders":null}""",
            """{"cluster":"00","founders":[null]}""", """{"cluster":"zz","founders":[]}""",
            """{"cluster":"00","founders":[{"name":"n","node":"00","position":"00","salt":"00"}]}""",
            """{"cluster":"00","founders":[{"name":"n","node":null,"position":null,"salt":null}]}""",
        ];
        foreach (var text in texts)
        {
            var signature = authority.Sign([.. "chordchat genesis v1\n"u8, .. Encoding.UTF8.GetBytes(text)]);
            var file = $$"""
                {"version":1,"authority":"{{Convert.ToBase64String(authority.Certificate.RawData)}}",
                "signature":"{{Convert.ToBase64String(signature)}}","genesis":{{text}}}
                """;
            Assert.Throws<FormatException>(() => GenesisFile.Read(Encoding.UTF8.GetBytes(file)));
        }
    }

    [Fact]
    public void Records_of_accounts_and_sessions()
    {
        var account = new Account("alice", 7, "$2b$", 1, new(1, 1, new byte[40]), new byte[60], default, 1);
        var session = new SessionRecord(1, N1, 1, 7, 1, IsOpen: true);
        byte[] written = [.. account.ToBytes().Span];
        byte[][] corpus = [written, [.. written[..4], 1, .. written[5..^12]]];
        FuzzRun.Bytes(
            corpus, 20_000, bytes =>
            {
                var again = Account.FromBytes(bytes).ToBytes().ToArray();
                if (bytes[4] == 1) // Of an older program: without the pace.
                    again = [.. again[..4], 1, .. again[5..^12]];
                Assert.Equal(bytes, again);
            },
            typeof(InvalidDataException));
        corpus = [session.ToBytes().ToArray()];
        FuzzRun.Bytes(
            corpus, 20_000, bytes => SessionRecord.FromBytes(bytes).ToBytes(), typeof(InvalidDataException));
        corpus = [new InvitationUse(new byte[InvitationUse.CodeBytes], "alice").ToBytes().ToArray()];
        FuzzRun.Bytes(
            corpus, 20_000, bytes => Assert.Equal(bytes, InvitationUse.FromBytes(bytes).ToBytes().ToArray()),
            typeof(InvalidDataException));
    }

    [Fact]
    public void Tile_headers()
    {
        var now = new TileConfiguration(new(7, 0x5a), 0, 4, [N1, new(2, 2), new(3, 3)]);
        var header = new TileHeader(
            now, TilePhase.Sealed, new(4, 1, N1, 1), new(4, 1, N1, 1), now.Next([N1]), now.Next([N1]), now);
        byte[][] corpus = [HeaderFormat.Write(header), HeaderFormat.Write(new TileHeader(now, TilePhase.Active))];
        FuzzRun.Bytes(corpus, 20_000, bytes => HeaderFormat.Read(bytes), typeof(InvalidDataException));
    }
}
