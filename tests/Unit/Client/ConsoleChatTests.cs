using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Storage;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>What the console prints, with no node to ask: the answers are that there is none.</summary>
public sealed class ConsoleChatTests
{
    [Fact]
    public async Task An_answer_that_does_not_follow_its_command_names_it()
    {
        await using var at = new OfflineConsole();
        var (chat, view) = (at.Chat, at.View);

        chat.OnLine("/who");
        (await at.Later[0])();
        Assert.StartsWith("! ", Assert.Single(view.Printed));

        view.Printed.Clear();
        chat.OnLine("/status bob");
        chat.OnLine("/msg carol are you there?");
        (await at.Later[1])();
        (await at.Later[2])();
        Assert.Equal(4, view.Printed.Count);
        Assert.Equal("· answer to /status bob:", view.Printed[0]);
        Assert.StartsWith("! ", view.Printed[1]);
        Assert.StartsWith("! ", view.Printed[2]); // The last one still follows its line.
        Assert.Equal("· your message to carol was not stored and is not sent: are you there?", view.Printed[3]);

        view.Printed.Clear();
        chat.OnLine("/msg carol are you there?");
        chat.On(new ClientEvent.Disconnected("n1", "it is gone"));
        (await at.Later[3])();
        Assert.Equal("· answer to your message to carol:", view.Printed[0]);
    }

    [Fact]
    public async Task What_another_program_of_the_same_profile_sends_is_shown()
    {
        await using var at = new OfflineConsole("hello");
        var (chat, view) = (at.Chat, at.View);
        at.Client.Start();
        chat.OnLine("/msg bob typed here");
        using var beside = Profile.Open(at.Profile.Folder);
        using var script = beside.Unlock(FilledProfile.Password);
        await using var sender = OfflineConsole.Offline(script);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        sender.Send("bob", "sent by a script"); // Perhaps before this program looked for the first time.
        ClientEvent happened;
        do
            happened = await at.Client.Events.ReadAsync(patience.Token);
        while (happened is not ClientEvent.SentBeside);
        view.Printed.Clear();
        chat.On(happened);
        Assert.Contains("sent by a script", view.Printed[0], StringComparison.Ordinal);
    }

    /// <summary>The next line went to the chat that was open before, while nodes were asked for the new one.</summary>
    [Fact]
    public async Task What_is_typed_after_a_chat_command_goes_there_or_nowhere()
    {
        await using var at = new OfflineConsole("hello");
        var (chat, view) = (at.Chat, at.View);
        OfflineConsole.Meet(at.Me, "bob");
        chat.OnLine("/chat bob");
        chat.OnLine("/chat carol");
        chat.OnLine("only for carol");
        Assert.Equal(0, at.Client.UnsentTexts);
        Assert.Equal(["your message to carol was not stored and is not sent: only for carol"], chat.Undone);
        Assert.Contains("to carol (looking them up)> ", view.Prompt, StringComparison.Ordinal);

        (await Assert.Single(at.Later))();
        chat.OnLine("and this?");
        Assert.Equal(0, at.Client.UnsentTexts);
        Assert.Empty(chat.Undone);
        Assert.Equal(
            [
                "· no chat is open now",
                "· your message to carol was not stored and is not sent: only for carol",
                "· no chat is open, so this was not sent: and this?; open one with /chat <user>",
            ],
            view.Printed[^3..]);
        Assert.True(chat.HasFailed); // README.md: a pipe ends with 1.
    }

    [Theory]
    [InlineData("/chat")]
    [InlineData("/chat Carol")]
    [InlineData("/chat carol smith")]
    [InlineData("/chat\tCarol")]
    [InlineData("/chat alice")] // Herself.
    public async Task A_chat_command_that_is_wrong_leaves_no_chat_open(string typed)
    {
        await using var at = new OfflineConsole("hello");
        OfflineConsole.Meet(at.Me, "bob");
        at.Chat.OnLine("/chat bob");
        at.Chat.OnLine(typed);
        at.Chat.OnLine("a secret");
        Assert.Equal(0, at.Client.UnsentTexts);
        Assert.Contains("a secret", at.View.Printed[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_comes_late_moves_nobody_to_another_chat()
    {
        await using var at = new OfflineConsole("hello");
        var (chat, view) = (at.Chat, at.View);
        chat.OnLine("/chat carol");
        chat.OnLine("/chat bob");
        (await at.Later[0])();
        Assert.Contains("to bob> ", view.Prompt, StringComparison.Ordinal);
        Assert.DoesNotContain("· no chat is open now", view.Printed);
    }

    /// <summary>docs/e2e.md, Receiving: only who accepts, or writes, tells the other side anything.</summary>
    [Fact]
    public async Task To_open_the_chat_of_somebody_who_asks_accepts_nothing_and_to_write_does()
    {
        await using var at = new OfflineConsole("hello");
        var (chat, view) = (at.Chat, at.View);
        OfflineConsole.Meet(at.Me, "bob");
        at.Profile.Store.Write(db => db.Execute("UPDATE circle SET written = 0"));
        chat.OnLine("/chat bob");
        Assert.True(at.Client.History.HasRequest("bob"));
        Assert.StartsWith("· bob has asked to chat with you: /accept bob", view.Printed[^1], StringComparison.Ordinal);
        chat.OnLine("hello yourself");
        Assert.False(at.Client.History.HasRequest("bob"));
        Assert.Contains(view.Printed, line => line.Contains("bob: hello", StringComparison.Ordinal));
    }

    [Fact]
    public async Task After_the_open_chats_person_is_blocked_no_line_goes_to_them()
    {
        await using var at = new OfflineConsole("hello");
        var (chat, view) = (at.Chat, at.View);
        chat.OnLine("/chat bob");
        chat.OnLine("/block bob");
        Assert.Equal("· bob is blocked and the chat with them is closed; /unblock bob undoes it", view.Printed[^1]);
        chat.OnLine("and this?");
        Assert.Contains("no chat is open", view.Printed[^1], StringComparison.Ordinal);
    }

    /// <summary>README.md, in the console: several pasted lines.</summary>
    [Fact]
    public async Task Pasted_lines_that_begin_with_a_command_go_to_nobody_and_another_slash_sends_them()
    {
        await using var at = new OfflineConsole("hello");
        var (chat, view) = (at.Chat, at.View);
        OfflineConsole.Meet(at.Me, "bob");
        chat.OnLine("/chat bob");
        chat.OnLine("/msg carol a secret\nand more", isPasted: true);
        Assert.StartsWith("· nothing was sent or done", view.Printed[^1], StringComparison.Ordinal);
        Assert.Empty(at.Later);
        Assert.Equal(0, at.Client.UnsentTexts);
        chat.OnLine("//msg carol a secret\nand more");
        Assert.Equal(1, at.Client.UnsentTexts);
        chat.OnLine("/help");
        Assert.Contains(view.Printed, line => line.Contains("you pasted several lines", StringComparison.Ordinal));
    }

    /// <summary>Somebody who is blocked by the time at which nodes have answered.</summary>
    [Fact]
    public async Task What_cannot_be_done_after_an_answer_is_a_line_and_ends_nothing()
    {
        var (view, later) = (new Lines(), new List<Task<Action>>());
        var questions = new Questions(view, later.Add);
        var blocked = new ChordChatException("is_blocked", "you have blocked carol", "unblock them first");
        questions.Ask(() => Task.FromResult<IReadOnlyList<StyledLine>>([]), then: () => throw blocked);
        (await Assert.Single(later))();
        Assert.Contains(blocked.Message, Assert.Single(view.Printed), StringComparison.Ordinal);
    }

    /// <summary>README.md: what was typed is not lost without a word.</summary>
    [Fact]
    public async Task What_waits_for_an_answer_is_undone_until_it_comes_and_a_logout_leaves_it_so()
    {
        await using var at = new OfflineConsole("hello");
        var (chat, view) = (at.Chat, at.View);
        chat.OnLine("/msg carol hi");
        chat.OnLine("/msg dave hi");
        chat.OnLine("/who"); // It only asks.
        Assert.Equal(
            from name in (string[])["carol", "dave"]
            select $"your message to {name} was not stored and is not sent: hi",
            chat.Undone);
        (await at.Later[0])();
        Assert.Single(chat.Undone);
        chat.OnLine("/logout");
        view.Printed.Clear();
        (await at.Later[1])();
        Assert.Single(chat.Undone);
        Assert.Empty(view.Printed);
    }

    /// <summary>It would go out from the next device, long after it was typed.</summary>
    [Fact]
    public async Task What_waits_for_an_answer_stays_undone_when_the_session_has_ended_for_good()
    {
        await using var at = new OfflineConsole("hello");
        var (chat, view) = (at.Chat, at.View);
        chat.OnLine("/msg carol hi");
        chat.On(new ClientEvent.Ended(new ChordChatException("taken_over", "another device took over", "log in")));
        view.Printed.Clear();
        (await at.Later[0])();
        Assert.Equal(["your message to carol was not stored and is not sent: hi"], chat.Undone);
        Assert.Empty(view.Printed);
    }

    [Fact]
    public async Task What_still_waits_from_last_time_is_said_at_the_start()
    {
        await using var at = new OfflineConsole("hello");
        var (chat, view) = (at.Chat, at.View);
        OfflineConsole.Meet(at.Me, "bob");
        chat.OnLine("/msg bob typed just before the program was killed");
        view.Printed.Clear();
        chat.Start();
        Assert.Contains(
            "· a message that you wrote still waits on this machine; it goes out as soon as nodes take it",
            view.Printed);
    }

    [Fact]
    public async Task To_unblock_somebody_says_whether_they_were_blocked()
    {
        await using var at = new OfflineConsole("hello");
        var (chat, view) = (at.Chat, at.View);
        chat.OnLine("/unblock bob");
        Assert.Equal("· bob is not blocked", view.Printed[^1]);
        chat.OnLine("/block bob");
        chat.OnLine("/unblock bob");
        Assert.StartsWith("· bob is no longer blocked; what they wrote", view.Printed[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chat_in_which_nothing_was_said_says_so()
    {
        await using var at = new OfflineConsole("hello");
        var (chat, view) = (at.Chat, at.View);
        chat.OnLine("/chat bob");
        at.Profile.Store.Write(db => db.Execute("DELETE FROM messages"));
        chat.OnLine("/history");
        Assert.Equal("· this machine has no messages with bob yet", view.Printed[^1]);
    }

    [Fact]
    public async Task A_message_that_opens_a_chat_says_so_and_what_was_unread_in_it_is_read()
    {
        await using var at = new OfflineConsole("hello");
        var (chat, view) = (at.Chat, at.View);
        OfflineConsole.Meet(at.Me, "bob");
        chat.Start();
        Assert.Contains("●bob 1", view.Prompt, StringComparison.Ordinal);
        chat.OnLine("/msg bob hello yourself");
        Assert.Equal("to bob> ", view.Prompt.Replace("(connecting) ", "", StringComparison.Ordinal));
        Assert.Contains(view.Printed, line => line.StartsWith("· chat with bob", StringComparison.Ordinal));
        Assert.Equal(0, at.Client.History.Chats().Single(one => one.Peer == "bob").Unread);
    }

    /// <summary>docs/e2e.md, Receiving: Requests. Another device of this user wrote to somebody.</summary>
    [Fact]
    public async Task What_is_no_request_any_more_is_shown_a_page_at_a_time()
    {
        await using var at = new OfflineConsole(Enumerable.Range(0, 1_010).Select(i => $"text {i}"));
        var (chat, view) = (at.Chat, at.View);
        at.Profile.Store.Write(db => db.Execute("UPDATE circle SET written = 0"));
        chat.Start();
        Assert.DoesNotContain(view.Printed, line => line.Contains("text 0", StringComparison.Ordinal));

        view.Printed.Clear();
        at.Profile.Store.Write(db => db.Execute("UPDATE circle SET written = 1"));
        chat.On(new ClientEvent.CircleHeard());
        Assert.Equal(1_001, view.Printed.Count);
        Assert.Contains("10 more unread messages from bob", view.Printed[^1], StringComparison.Ordinal);
        chat.On(new ClientEvent.CircleHeard());
        Assert.Equal(1_001, view.Printed.Count);

        chat.OnLine("/chat bob");
        Assert.Contains("text 999", view.Printed[999], StringComparison.Ordinal);
    }

    [Fact]
    public async Task That_messages_may_stay_queued_is_taken_back_when_one_is_kept()
    {
        await using var at = new OfflineConsole();
        var (chat, view) = (at.Chat, at.View);
        var message = new ChatMessage(
            "id", "alice", "bob", "hello", DateTimeOffset.UnixEpoch, MessageState.Queued, ["n1"], 3, 0, "");
        chat.On(new ClientEvent.Connected("n1", null, Degraded: true));
        Assert.Contains("too few copies answer", view.Printed[^1], StringComparison.Ordinal);
        var before = view.Printed.Count;
        chat.On(new ClientEvent.Changed(message));
        message = message with { State = MessageState.Kept, Copies = ["n1", "n2"] };
        chat.On(new ClientEvent.Changed(message with { Reachable = ["n1"] }));
        chat.On(new ClientEvent.Changed(message with { State = MessageState.Delivered })); // Of yesterday, perhaps.
        Assert.Equal(before, view.Printed.Count);
        chat.On(new ClientEvent.Changed(message));
        chat.On(new ClientEvent.Changed(message));
        Assert.Equal(["· enough copies answer again: messages no longer stay queued"], view.Printed.Skip(before));
    }

    [Fact]
    public void What_waited_to_be_sealed_keeps_the_time_at_which_it_was_typed()
    {
        using var filled = new FilledProfile();
        using var profile = Profile.Open(filled.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        var messages = new MessageTable("alice", me.Key);
        var id = $"{1:x32}";
        profile.Store.Write(db =>
        {
            messages.InsertMine(db, id, "bob", "hello"u8.ToArray(), 1_700_000_000_000);
            MessageTable.SetLink(db, id, new Link("bob", Mine: true, 1, 1, 1, 0, 1_700_000_090_000));
        });

        var message = History.Of(me).Find(id)!;

        Assert.Equal(1_700_000_000_000, message.Typed!.Value.ToUnixTimeMilliseconds());
        Assert.Equal(1_700_000_090_000, message.Sent.ToUnixTimeMilliseconds());
    }
}
