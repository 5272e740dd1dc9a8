using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Sdk;
using ChordChat.Tests.Cluster.Nodes;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Receiving: what somebody can write alone is no reason for an alarm, stays in no mailbox and
/// hides no message.</summary>
public sealed class ForgedMailTests : AliceAndBob
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stranger_who_names_a_wrong_key_raises_no_alarm_and_waits_like_any_other(bool requestsWait)
    {
        Bob.Client.Circle.RequestsWait = requestsWait;
        var mallory = new Forger(Cluster, "mallory");
        for (ulong seq = 1; seq <= 3; seq++)
            mallory.Send("bob", mallory.Seal("bob", seq, $"{seq}", toEntry: new Digest(seq, 7)));
        await DrainedAsync();
        Assert.Equal(PinState.New, Bob.Client.People.KeysOf("mallory"));
        Alice.Client.Send("bob", "from a friend");
        Bob.Client.Circle.RequestsWait = false;
        Assert.Equal(["1", "2", "3", "from a friend"], (await Bob.ReadAsync(4)).Order());
        Assert.All(
            Bob.Client.History.With("mallory"),
            message => Assert.Equal("its sender was shown a key that is not yours", message.Note));
        while (Bob.Client.Events.TryRead(out var happened))
            Assert.IsNotType<ClientEvent.KeysChanged>(happened);
    }

    [Fact]
    public async Task A_contact_who_names_a_wrong_key_raises_an_alarm_and_their_mail_is_shown_all_the_same()
    {
        var mallory = new Forger(Cluster, "mallory");
        Bob.Client.Circle.Accept("mallory");
        mallory.Send("bob", mallory.Seal("bob", 1, "1", toEntry: new Digest(1, 7)));
        await Bob.SeeAsync<ClientEvent.KeysChanged>(changed => changed.State == PinState.Conflict);
        mallory.Send("bob", mallory.Seal("bob", 2, "2"));
        Assert.Equal(["1", "2"], await Bob.ReadAsync(2));
        await DrainedAsync();
        Assert.Equal("somebody showed other keys of its sender", Bob.Client.History.With("mallory")[1].Note);
    }

    /// <summary>Copies of the mailbox that each took another text under one id.</summary>
    [Fact]
    public async Task Two_texts_with_one_id_are_both_shown_the_second_with_a_mark()
    {
        var (mallory, eve) = (new Forger(Cluster, "mallory"), new Forger(Cluster, "eve"));
        var first = mallory.Seal("bob", 1, "of mallory");
        mallory.Send("bob", first);
        Assert.Equal(["of mallory"], await Bob.ReadAsync(1));
        var second = eve.Seal("bob", 1, "of eve", first.Id);
        var third = mallory.Seal("bob", 2, "of mallory again", first.Id);
        foreach (var push in new[] { second, first, third, second, third })
            Cluster.Sessions["bob"].Push(push);
        Assert.Equal(["of eve", "of mallory again"], (await Bob.ReadAsync(2)).Order());
        Alice.Client.Send("bob", "the end");
        Assert.Equal(["the end"], await Bob.ReadAsync(1));
        Assert.Equal("", Bob.Client.History.With("mallory")[0].Note);
        foreach (var message in Bob.Client.History.With("mallory").Skip(1).Concat(Bob.Client.History.With("eve")))
            Assert.Equal("another message has the same id", message.Note);
        Assert.Equal(3, Bob.Client.History.With("mallory").Count + Bob.Client.History.With("eve").Count);
    }

    /// <summary>docs/e2e.md, Signals: no mailbox bounds these, so they never become messages.</summary>
    [Fact]
    public async Task A_text_that_says_it_is_not_to_be_stored_is_not_shown()
    {
        var mallory = new Forger(Cluster, "mallory");
        Bob.Client.Circle.Accept("mallory");
        Cluster.Sessions["bob"].Push(mallory.Seal("bob", 1, "unseen", doNotStore: true));
        mallory.Send("bob", mallory.Seal("bob", 1, "seen"));
        Assert.Equal(["seen"], await Bob.ReadAsync(1));
        await DrainedAsync();
        Assert.Equal("", Assert.Single(Bob.Client.History.With("mallory")).Note);
    }

    private Task DrainedAsync() => Condition.UntilAsync(
        "nothing stays in the mailbox", Person.Patience,
        () => Task.FromResult(Cluster.Accounts["bob"].MailboxCount == 0));
}
