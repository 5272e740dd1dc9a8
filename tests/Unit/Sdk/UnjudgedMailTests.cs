using System.Security.Cryptography;
using ChordChat.Crypto;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Storage;
using ChordChat.Tests.Unit.Base;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Receiving: bounded tries.</summary>
public sealed class UnjudgedMailTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"chordchat-profile-{Guid.NewGuid():n}.db");
    private readonly ManualTime _time = new();
    private readonly LocalStore _store;
    private readonly UnjudgedMail _mail;

    public UnjudgedMailTests() => _mail = new UnjudgedMail(_store = LocalStore.Open(_file), _time);

    public void Dispose()
    {
        _store.Dispose();
        File.Delete(_file);
    }

    [Fact]
    public void A_message_is_hopeless_after_eight_logs_without_its_entry_and_three_minutes()
    {
        var push = Add("mallory", new Digest(1, 1));
        for (var tries = 1; tries <= UnjudgedMail.TriesMax + 2; tries++)
            Assert.Empty(_mail.Looked("mallory", _ => false).Hopeless); // Too soon, however often.
        Assert.True(_mail.Contains(push));
        _time.Now += UnjudgedMail.WaitMin;
        Assert.Equal([Id(push)], _mail.Looked("mallory", _ => false).Hopeless);
        Assert.False(_mail.Contains(push));
    }

    [Fact]
    public void Time_alone_makes_nothing_hopeless_and_a_restart_forgets_no_try()
    {
        var push = Add("mallory", new Digest(1, 1));
        _time.Now += TimeSpan.FromDays(3);
        for (var tries = 1; tries < UnjudgedMail.TriesMax; tries++)
            Assert.Empty(new UnjudgedMail(_store, _time).Looked("mallory", _ => false).Hopeless);
        Assert.Empty(_mail.Looked("somebody", _ => false).Hopeless);
        Assert.Equal([Id(push)], new UnjudgedMail(_store, _time).Looked("mallory", _ => false).Hopeless);
    }

    [Fact]
    public void What_too_few_nodes_say_is_no_try_but_what_they_show_counts()
    {
        var push = Add("mallory", new Digest(1, 1));
        _time.Now += TimeSpan.FromDays(3);
        for (var tries = 1; tries <= UnjudgedMail.TriesMax + 2; tries++)
            Assert.Empty(_mail.Looked("mallory", _ => false, isTry: false).Hopeless);
        Assert.True(_mail.Contains(push));
        Assert.Equal(1, _mail.Looked("mallory", _ => true, isTry: false).ReadyCount);
    }

    [Fact]
    public void What_the_log_has_by_now_is_ready_and_no_longer_waits()
    {
        var (first, second) = (Add("mallory", new Digest(1, 1)), Add("mallory", new Digest(2, 2)));
        var (ready, hopeless, waiting) = _mail.Looked("mallory", entry => entry == new Digest(2, 2));
        Assert.Equal((1, 1), (ready, waiting));
        Assert.Empty(hopeless);
        Assert.True(_mail.Contains(first));
        Assert.False(_mail.Contains(second));
    }

    [Fact]
    public void When_much_waits_the_newest_of_the_sender_with_the_most_make_room_and_keep_none_of_others_out()
    {
        var mail = new UnjudgedMail(_store, _time, countMax: 4);
        Push[] flood = [.. Enumerable.Range(0, 9).Select(_ => Envelope(1))];
        foreach (var push in flood)
        {
            mail.Add([new Unjudged("mallory", new Digest(1, 1), push)]);
            _time.Now += TimeSpan.FromSeconds(1);
        }

        var friends = Envelope(2);
        mail.Add([new Unjudged("alice", new Digest(2, 2), friends)]);

        Assert.True(mail.Contains(friends));
        Assert.Equal([true, true, true, false], flood.Take(4).Select(mail.Contains));
        Assert.DoesNotContain(true, flood.Skip(4).Select(mail.Contains));
    }

    [Fact]
    public void Messages_whose_senders_keys_are_known_by_now_can_be_judged_when_they_come_again()
    {
        Add("alice", new Digest(1, 1));
        Add("alice", new Digest(1, 2));
        Assert.False(_mail.HasReady("alice", _ => false));
        Assert.False(_mail.HasReady("carol", _ => true));
        Assert.True(_mail.HasReady("alice", entry => entry == new Digest(1, 2)));
        _mail.Looked("alice", entry => entry == new Digest(1, 2));
        Assert.False(_mail.HasReady("alice", entry => entry == new Digest(1, 2)));
    }

    [Fact]
    public void What_waits_for_a_key_that_is_here_by_now_is_forgotten_and_nothing_else_is()
    {
        var (first, second, others) = (
            Add("bob", new Digest(1, 1)), Add("bob", new Digest(2, 2)), Add("alice", new Digest(1, 1)));
        Digest[] here = [new Digest(1, 1), new Digest(3, 3)];
        Assert.True(_mail.HasAny("bob", here));
        _mail.Forget("bob", here);
        Assert.False(_mail.HasAny("bob", here));
        Assert.Equal([false, true, true], new[] { first, second, others }.Select(_mail.Contains));
    }

    [Fact]
    public void Another_envelope_under_the_same_id_is_looked_at()
    {
        var push = Add("mallory", new Digest(1, 1));
        Assert.False(_mail.Contains(new Push { Id = push.Id, Envelope = ByteString.CopyFrom(1, 2, 3) }));
    }

    private Push Add(string from, Digest entry)
    {
        var push = Envelope(1);
        _mail.Add([new Unjudged(from, entry, push)]);
        return push;
    }

    private static string Id(Push push) => Convert.ToHexStringLower(push.Id.Span);

    private static Push Envelope(byte chat) => new()
    {
        Id = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(16)),
        Envelope = ByteString.CopyFrom([.. "CCDM"u8, 1, .. new byte[16], .. Enumerable.Repeat(chat, 32)]),
    };
}
