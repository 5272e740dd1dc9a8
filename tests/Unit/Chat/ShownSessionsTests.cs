using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Links;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Unit.Base;
using ChordChat.Tests.Unit.Fuzz;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>docs/protocol.md#session-proofs: what is remembered of proofs that nobody can judge now.</summary>
public sealed class ShownSessionsTests
{
    private const int KeptMax = 100;
    private static readonly NodeId Liar = new(7, 7);
    private static readonly NodeId Honest = new(8, 8);

    private readonly ManualTime _time = new();
    private readonly ShownSessions _shown;

    public ShownSessionsTests()
    {
        var (proofs, clock, none) = (new ClientProofs(ChatFuzzTests.Nobody), new ChatClock(_time), new NoRegisters());
        var judge = new ShownHelloJudge(
            new AccountGlimpses(none), new KeyLogReader(none, none, proofs), proofs, clock);
        _shown = new ShownSessions(judge, proofs, clock, KeptMax);
    }

    [Fact]
    public async Task What_counts_for_nothing_any_more_is_forgotten()
    {
        for (var i = 0; i < 50; i++)
            await ShowAsync(Liar, i);
        Assert.Equal(50, _shown.KeptCount);
        _time.Now += TimeSpan.FromMinutes(16);
        await ShowAsync(Honest, 0);
        Assert.Equal(1, _shown.KeptCount);
    }

    [Fact]
    public async Task A_node_that_shows_many_takes_the_place_of_none_of_another()
    {
        for (var i = 0; i < 10; i++)
            await ShowAsync(Honest, i);
        for (var i = 0; i < 5 * KeptMax; i++)
        {
            _time.Now += TimeSpan.FromMilliseconds(1);
            await ShowAsync(Liar, i);
        }

        Assert.InRange(_shown.KeptCount, 1, KeptMax);
        for (var i = 0; i < 10; i++)
            Assert.True(_shown.Allow(Honest, new SessionNeed($"user{i}", SessionRight.Send)));
    }

    [Theory]
    [InlineData(32, 32, 64, true)]
    [InlineData(31, 32, 64, false)]
    [InlineData(32, 0, 64, false)]
    [InlineData(32, 33, 64, false)]
    [InlineData(32, 32, 0, false)]
    [InlineData(32, 32, 4 << 20, false)]
    public void A_proof_has_the_lengths_of_one(int theirs, int mine, int signature, bool isOne)
    {
        var call = new ShowSessionCall
        {
            User = "anna",
            Epoch = 1,
            NodeNonce = ByteString.CopyFrom(new byte[theirs]),
            ClientNonce = ByteString.CopyFrom(new byte[mine]),
            Signature = ByteString.CopyFrom(new byte[signature]),
        };
        if (isOne)
            Assert.Equal("anna", call.ToCore().Hello.User);
        else
            Assert.Throws<MalformedException>(() => call.ToCore());
    }

    private async Task ShowAsync(NodeId node, int user) => Assert.Equal(
        SessionRight.Send,
        await _shown.ShowAsync(node, new(new($"user{user}", 1, new byte[32], new byte[64], ""), new byte[32])));
}
