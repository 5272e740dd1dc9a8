using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Sessions;
using ChordChat.Sdk.Storage;
using ChordChat.Tests.Unit.Client;
using ChordChat.Wire;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

public sealed class SendTurnsTests
{
    /// <summary>As <c>chordchat resend</c> does beside a console that has written to the same person since.</summary>
    [Fact]
    public void What_is_sent_again_goes_out_in_the_session_that_stands()
    {
        using var files = new FilledProfile();
        using var profile = Profile.Open(files.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        var outbox = new Outbox(me, null!, new MessageTable("alice", me.Key), TimeProvider.System);
        var (left, newer) = (outbox.Add("bob", "left behind"u8.ToArray()), outbox.Add("bob", "newer"u8.ToArray()));
        me.Store.Write(db =>
        {
            db.Execute("UPDATE outbox SET envelope = x'01', sealed_ms = 1");
            db.Execute("UPDATE outbox SET parked = 1 WHERE id = $1", left);
        });
        var turns = new SendTurns(outbox);
        Assert.Equal([newer], IdsOf(turns.Take(10, 1_000)));
        me.Store.Write(db => db.Execute("DELETE FROM outbox WHERE id = $1", newer)); // It is kept.

        outbox.SendAgain([left]);

        Assert.Equal([left], IdsOf(turns.Take(10, 1_000)));
        var last = outbox.Add("bob", "last"u8.ToArray());
        me.Store.Write(db => db.Execute("UPDATE outbox SET envelope = x'01', sealed_ms = 1 WHERE id = $1", last));
        Assert.Equal([last], IdsOf(turns.Take(10, 1_000)));
    }

    private static IEnumerable<string> IdsOf(IEnumerable<Send> sends) =>
        sends.Select(send => Convert.ToHexStringLower(send.Id.Span));
}
