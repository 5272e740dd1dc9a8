using ChordChat.Client.Conversation;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Sdk;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Sessions;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>docs/e2e.md, Pins: only the identity whose number was shown is verified.</summary>
public sealed class VerifyTests : IDisposable
{
    private readonly CarolsKeys _carol = new();
    private readonly Answering _nodes = new();
    private KeyBook _keys = null!;

    public VerifyTests() => _nodes.Log = _carol.First;

    public void Dispose() => _carol.Dispose();

    [Fact]
    public async Task A_number_that_was_shown_and_is_the_same_is_verified()
    {
        var people = Start();
        Assert.Contains("read it to carol in person", await VerifyAsync(people), StringComparison.Ordinal);
        Assert.Equal("· carol is verified", await VerifyAsync(people, confirmed: true));
        Assert.Equal(PinState.Verified, people.KeysOf("carol"));
    }

    /// <summary>The number was compared yesterday, and the identity rotated overnight.</summary>
    [Fact]
    public async Task A_number_that_this_console_did_not_show_is_not_verified()
    {
        await VerifyAsync(Start());
        Rotate();

        var people = Start();
        var said = await VerifyAsync(people, confirmed: true);
        Assert.Equal("· compare the number first: /verify carol", said);
        Assert.NotEqual(PinState.Verified, people.KeysOf("carol"));
        said = await VerifyAsync(people, confirmed: true); // That it was refused has shown no number.
        Assert.Equal("· compare the number first: /verify carol", said);

        await VerifyAsync(people);
        Assert.Equal(PinState.IdentityRotated, people.KeysOf("carol"));
        Assert.Equal("· carol is verified", await VerifyAsync(people, confirmed: true));
    }

    [Fact]
    public async Task An_identity_that_rotated_after_its_number_was_shown_is_shown_again()
    {
        var people = Start();
        var before = await VerifyAsync(people);
        Rotate();
        await _keys.RefreshAsync("carol", CancellationToken.None);
        var said = await VerifyAsync(people, confirmed: true);
        Assert.StartsWith("· this is not the number that you were shown", said, StringComparison.Ordinal);
        Assert.NotEqual(before.Split('\n')[1..3], said.Split('\n')[2..4]);
        Assert.Equal(PinState.IdentityRotated, people.KeysOf("carol"));
    }

    /// <summary>As if the console had just been started.</summary>
    private People Start() =>
        new(_carol.Alice, _keys = new KeyBook(_carol.Alice, _nodes, _ => { }), new ChangeSignal());

    private void Rotate() => _nodes.Log = _carol.Rotated(_nodes.Log);

    private static async Task<string> VerifyAsync(People people, bool confirmed = false) =>
        string.Join('\n', await Answers.VerifyAsync(people, "carol", confirmed));

    private sealed class Answering : IKeyQuestions
    {
        public KeyLog Log { get; set; } = null!;

        public Task<KeyAnswer> AskAsync(
            string user, Func<KeyLog, KeyLogWorth> judge, CancellationToken cancellation) =>
            Task.FromResult(new KeyAnswer(judge(Log) == KeyLogWorth.Take ? Log : null, IsOfEnough: true));
    }
}
