using ChordChat.Client.Conversation;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Sessions;
using ChordChat.Tests.Unit.Crypto;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>docs/e2e.md, Pins: only the identity whose number was shown is verified.</summary>
public sealed class VerifyTests : IDisposable
{
    private static readonly KdfParameters Kdf = KdfParameters.FromBytes(KdfParameters.IterationsMin, new byte[16]);

    private readonly FilledProfile _filled = new();
    private readonly ReadyKeys _ready = new();
    private readonly Profile _profile;
    private readonly UnlockedProfile _me;
    private readonly IdentityKey _identity;
    private readonly Answering _nodes = new();
    private KeyBook _keys = null!;

    public VerifyTests()
    {
        _profile = Profile.Open(_filled.Folder);
        _me = _profile.Unlock(FilledProfile.Password);
        _identity = _ready.Identity();
        var entry = KeyLogEntryBuilder.Create(_me.Cluster, "carol", 1, _identity, _ready.Device(), default, Kdf);
        _nodes.Log = KeyLog.Verify(_me.Cluster, "carol", [entry.Bytes.ToArray()])!;
    }

    public void Dispose()
    {
        _me.Dispose();
        _profile.Dispose();
        _filled.Dispose();
    }

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
    private People Start() => new(_me, _keys = new KeyBook(_me, _nodes, _ => { }), new ChangeSignal());

    private void Rotate() => _nodes.Log = _nodes.Log.Append(KeyLogEntryBuilder.RotateIdentity(
        _nodes.Log.Head, 2, _identity, _ready.Identity(), _ready.Device(), default, Kdf).Bytes.Span)!;

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
