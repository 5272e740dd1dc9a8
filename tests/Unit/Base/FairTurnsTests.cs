using ChordChat.Node.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Base;

/// <summary>docs/security.md, "Places of strangers".</summary>
public sealed class FairTurnsTests
{
    private readonly FairTurns<string> _turns = new(perHolderMax: 2, max: 4, waitingMax: 3);

    [Fact]
    public async Task One_holder_has_its_share_and_a_line_and_holds_up_nobody_else()
    {
        var first = new[] { await NowAsync("evil"), await NowAsync("evil") };
        var line = Enumerable.Range(0, 3).Select(_ => LaterAsync("evil")).ToArray();

        Assert.Null(await _turns.TakeAsync("evil", CancellationToken.None));
        using var other = await NowAsync("other");

        Assert.All(line, waiting => Assert.False(waiting.IsCompleted));
        first[0].Dispose();
        Assert.NotNull(await line[0]);
        Assert.False(line[1].IsCompleted);
    }

    [Fact]
    public async Task When_all_turns_are_taken_the_lines_take_turns()
    {
        var taken = new[] { await NowAsync("a"), await NowAsync("a"), await NowAsync("b"), await NowAsync("b") };
        var (a, b, c) = (new[] { LaterAsync("a"), LaterAsync("a") }, LaterAsync("b"), LaterAsync("c"));

        taken[0].Dispose();
        Assert.NotNull(await a[0]);
        taken[1].Dispose();
        using var third = await c; // b has its share.
        Assert.False(b.IsCompleted);
        taken[2].Dispose();
        Assert.NotNull(await b);
        Assert.False(a[1].IsCompleted);
    }

    [Fact]
    public async Task Who_gives_up_waiting_makes_room_and_takes_no_turn()
    {
        var taken = new[] { await NowAsync("a"), await NowAsync("a") };
        using var enough = new CancellationTokenSource();
        var gone = _turns.TakeAsync("a", enough.Token).AsTask();
        var next = LaterAsync("a");

        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        taken[0].Dispose();
        taken[0].Dispose(); // Once is all.
        Assert.NotNull(await next);
        Assert.False(LaterAsync("a").IsCompleted);
    }

    private async Task<IDisposable> NowAsync(string holder)
    {
        var turn = _turns.TakeAsync(holder, CancellationToken.None);
        Assert.True(turn.IsCompleted);
        return (await turn)!;
    }

    private Task<FairTurns<string>.Turn?> LaterAsync(string holder)
    {
        var turn = _turns.TakeAsync(holder, CancellationToken.None).AsTask();
        Assert.False(turn.IsCompleted);
        return turn;
    }
}
