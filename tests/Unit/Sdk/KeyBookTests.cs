using ChordChat.Crypto.KeyLogs;
using ChordChat.Sdk;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Profiles;
using ChordChat.Tests.Unit.Client;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Pins: a change is made of what is stored then.</summary>
public sealed class KeyBookTests : IDisposable
{
    private readonly CarolsKeys _carol = new();
    private readonly SlowQuestions _questions = new();
    private readonly List<ClientEvent> _told = [];
    private readonly KeyBook _keys;

    public KeyBookTests() => _keys = new KeyBook(_carol.Alice, _questions, _told.Add);

    public void Dispose() => _carol.Dispose();

    [Fact]
    public async Task A_conflict_that_is_raised_while_a_look_up_is_under_way_stays()
    {
        await KnownAsync();
        await WhileLookingUpAsync(_carol.First, () => _keys.RaiseConflict("carol"));
        Assert.Equal(PinState.Conflict, _keys.PinOf("carol")!.State);
        Assert.Equal(
            "key_conflict", Assert.Throws<ChordChatException>(() => _keys.FreshForSending("carol")).Code);
        Assert.Equal(PinState.Conflict, Assert.Single(_told.OfType<ClientEvent.KeysChanged>()).State);
    }

    [Fact]
    public async Task A_conflict_that_one_look_up_finds_outlasts_another_one()
    {
        await KnownAsync();
        var fork = _carol.Created(2);
        var slow = _questions.Wait();
        var looking = _keys.RefreshAsync("carol", CancellationToken.None);
        _questions.Answer = fork;
        await _keys.RefreshAsync("carol", CancellationToken.None);
        slow.SetResult(_carol.First);
        await looking;
        Assert.Equal(PinState.Conflict, _keys.PinOf("carol")!.State);
    }

    [Fact]
    public async Task A_mark_that_is_set_while_a_look_up_is_under_way_stays()
    {
        await KnownAsync();
        await WhileLookingUpAsync(_carol.First, () => Assert.True(_keys.MarkVerified("carol", _ => true)));
        Assert.True(_keys.PinOf("carol")!.Verified);
    }

    [Fact]
    public async Task An_identity_that_is_agreed_to_while_a_look_up_is_under_way_stays_so()
    {
        await KnownAsync();
        var rotated = _carol.Rotated(_carol.First);
        _questions.Answer = rotated;
        await _keys.RefreshAsync("carol", CancellationToken.None);
        Assert.Equal(PinState.IdentityRotated, _keys.PinOf("carol")!.State);
        await WhileLookingUpAsync(rotated, () => _keys.AcceptIdentity("carol"));
        Assert.Equal(PinState.New, _keys.PinOf("carol")!.State);
    }

    [Fact]
    public async Task A_log_that_was_the_newest_when_it_was_asked_for_takes_nothing_back()
    {
        await KnownAsync();
        var newer = _carol.WithNewDevice(_carol.First);
        var slow = _questions.Wait();
        var looking = _keys.RefreshAsync("carol", CancellationToken.None);
        _questions.Answer = newer;
        await _keys.RefreshAsync("carol", CancellationToken.None);
        slow.SetResult(_carol.First);
        await looking;
        Assert.Equal(1ul, _keys.PinOf("carol")!.Seq);
        Assert.Equal(newer.Head.Hash, _keys.FreshForSending("carol")!.Head.Hash);
    }

    /// <summary>A console and a script may work on one profile.</summary>
    [Fact]
    public async Task What_another_program_stored_is_known_here_and_stays()
    {
        await KnownAsync();
        using (var profile = Profile.Open(_carol.Folder))
        using (var me = profile.Unlock(FilledProfile.Password))
            new KeyBook(me, _questions, _told.Add).RaiseConflict("carol");
        Assert.Equal(PinState.Conflict, _keys.PinOf("carol")!.State);
        await _keys.RefreshAsync("carol", CancellationToken.None);
        _keys.MarkSeen("carol");
        Assert.Equal(PinState.Conflict, _keys.PinOf("carol")!.State);
    }

    [Fact]
    public async Task Only_the_identity_that_was_compared_is_marked()
    {
        await KnownAsync();
        var rotated = _carol.Rotated(_carol.First);
        await WhileLookingUpAsync(rotated, () => { });
        Assert.False(_keys.MarkVerified("carol", log => log.Head.Hash == _carol.First.Head.Hash));
        Assert.Equal(PinState.IdentityRotated, _keys.PinOf("carol")!.State);
        Assert.True(_keys.MarkVerified("carol", log => log.Head.Hash == rotated.Head.Hash));
    }

    /// <summary>docs/e2e.md, Requests: what strangers do prints no line.</summary>
    [Fact]
    public async Task A_strangers_new_device_is_pinned_without_a_word_and_a_friends_is_told()
    {
        await KnownAsync();
        var second = _carol.WithNewDevice(_carol.First);
        _questions.Answer = second;
        await _keys.RefreshAsync("carol", CancellationToken.None);
        Assert.Equal(PinState.DeviceChanged, _keys.PinOf("carol")!.State);
        Assert.Empty(_told);
        _carol.Alice.Store.Write(db => Circle.WroteTo(db, "carol"));
        _keys.MarkSeen("carol");
        _questions.Answer = _carol.WithNewDevice(second);
        await _keys.RefreshAsync("carol", CancellationToken.None);
        Assert.Equal(PinState.DeviceChanged, Assert.Single(_told.OfType<ClientEvent.KeysChanged>()).State);
    }

    private async Task KnownAsync()
    {
        _questions.Answer = _carol.First;
        await _keys.RefreshAsync("carol", CancellationToken.None);
        Assert.Equal(PinState.New, _keys.PinOf("carol")!.State);
    }

    private async Task WhileLookingUpAsync(KeyLog answer, Action change)
    {
        var slow = _questions.Wait();
        var looking = _keys.RefreshAsync("carol", CancellationToken.None);
        change();
        slow.SetResult(answer);
        await looking;
    }

    /// <summary>Nodes that answer when the test says so.</summary>
    private sealed class SlowQuestions : IKeyQuestions
    {
        private TaskCompletionSource<KeyLog>? _next;

        public KeyLog? Answer { get; set; }

        /// <summary>The next question waits for this.</summary>
        public TaskCompletionSource<KeyLog> Wait() => _next = new TaskCompletionSource<KeyLog>();

        public async Task<KeyAnswer> AskAsync(
            string user, Func<KeyLog, KeyLogWorth> judge, CancellationToken cancellation)
        {
            var wait = Interlocked.Exchange(ref _next, null);
            var log = wait is null ? Answer! : await wait.Task;
            return new KeyAnswer(judge(log) == KeyLogWorth.Take ? log : null, IsOfEnough: true);
        }
    }
}
