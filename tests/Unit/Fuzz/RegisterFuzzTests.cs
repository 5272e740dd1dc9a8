using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keyrings;
using ChordChat.Node.Chat;
using Xunit;
using static ChordChat.Tests.Unit.Crypto.TestUsers;

namespace ChordChat.Tests.Unit.Fuzz;

/// <summary>docs/protocol.md#value-rules are asked on the thread that ends the node when something is thrown
/// there.</summary>
public sealed class RegisterFuzzTests
{
    private static readonly RegisterRules Rules = new(new ChatIdentity
    {
        Self = new(default, default, "n1", ""),
        Cluster = Cluster,
        Authority = default,
        TicketKey = new byte[32],
    });

    [Fact]
    public void Whatever_stands_in_a_register_or_is_offered_to_it_is_judged()
    {
        byte[] ring = [1, 2, 3];
        var entry = KeyLogEntryBuilder.Create(
            Cluster, "alice", Now, AliceIdentity, Alice1, KeyringBlob.HashOf(ring), Kdf);
        var account = new Account("alice", 7, "$2b$", 1, new(0, 1, entry.Bytes), ring, default, 9).ToBytes();
        byte[][] seeds =
        [
            account.ToArray(),
            entry.Bytes.ToArray(),
            new SessionRecord(5, new NodeId(1, 2), 1, 7, 9, IsOpen: true).ToBytes().ToArray(),
            new InvitationUse(new byte[20], "alice").ToBytes().ToArray(),
            new Circle(["bob"], ["carl"]).ToBytes().ToArray(),
        ];
        string[] keys =
        [
            "acct/alice", "keylog/alice/0", "sess/alice", $"invite/{new string('0', 16)}", "circle/alice", "x", "acct/",
        ];
        foreach (var key in keys)
            FuzzRun.Rounds(1_000, random => Mutation.Of(seeds, random), bytes =>
            {
                foreach (var seed in seeds)
                {
                    Rules.Judge(key, seed, bytes, account);
                    Rules.Judge(key, bytes, seed, account);
                    Rules.Judge(key, seed, bytes, bytes);
                }
            }, Convert.ToHexString);
    }
}
