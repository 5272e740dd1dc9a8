using System.CommandLine;
using System.CommandLine.Help;
using System.Text;
using ChordChat.Client.Conversation;
using ChordChat.Client.Scripting;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("@notes.txt", "send", "bob", "@notes.txt")]
    [InlineData("@bob look", "send", "bob", "@bob", "look")]
    [InlineData("--json", "send", "bob", "--", "--json")]
    [InlineData("-5 degrees", "send", "--", "bob", "-5", "degrees")]
    [InlineData("-5 degrees", "send", "bob", "-5", "degrees")]
    [InlineData("a - b", "send", "bob", "a", "-", "b")]
    [InlineData("-", "send", "bob", "--", "-")]
    [InlineData("-", "send", "--", "bob", "-")]
    [InlineData("--help", "send", "bob", "--", "--help")]
    [InlineData("", "send", "bob", "")]
    public void The_words_are_what_is_sent(string text, params string[] args)
    {
        var parsed = CommandLine.Build().Parse(args, CommandLine.WordsAreWords);
        Assert.Empty(parsed.Errors);
        Assert.Equal(
            [new("bob", text)], SendCommand.Lines(parsed.GetValue<string[]>("user text")!, args.Contains("--")));
    }

    /// <summary>A misspelt option would go to the other person.</summary>
    [Theory]
    [InlineData("--wiat", "bob", "hi", "--wiat", "delivered")]
    [InlineData("--Wait", "bob", "hi", "--Wait", "delivered")]
    [InlineData("-x", "bob", "-x")]
    [InlineData("--usr", "--usr", "anna", "bob", "hi")]
    public void A_word_that_looks_like_an_option_is_no_text(string option, params string[] words)
    {
        var refused = Assert.Throws<ChordChatException>(() => SendCommand.Lines(words, literal: false).ToList());
        Assert.Equal(("usage", $"send has no option '{option}'"), (refused.Code, refused.Message));
        Assert.NotEmpty(SendCommand.Lines(words, literal: true));
    }

    [Theory]
    [InlineData("tail", "--timeout", "nan")]
    [InlineData("tail", "--timeout", "1e300")]
    [InlineData("tail", "--timeout", "-1")]
    [InlineData("tail", "--count", "0")]
    [InlineData("history", "bob", "--limit", "-1")]
    [InlineData("send", "bob", "hi", "--timeout", "inf")]
    public void A_number_that_nothing_can_be_done_with_is_refused(params string[] args) =>
        Assert.Contains(
            args[^1], Assert.Single(CommandLine.Build().Parse(args, CommandLine.WordsAreWords).Errors).Message,
            StringComparison.Ordinal);

    /// <summary>A script's variable that is not set.</summary>
    [Theory]
    [InlineData("register", "bob", "--invitation-file", "")]
    [InlineData("tail", "--password-file", "")]
    [InlineData("tail", "--profile", "")]
    [InlineData("tail", "--node", "n1:1", "--node", "")]
    [InlineData("login", "bob", "--trust", "")]
    public void An_option_without_a_value_is_a_mistake(params string[] args) => Assert.Equal(
        $"the value of {args[^2]} is empty",
        Assert.Single(
            CommandLine.Build().Parse(args, CommandLine.WordsAreWords).Errors.Select(one => one.Message).Distinct()));

    [Fact]
    public async Task An_empty_value_is_no_bug_of_the_program()
    {
        using var profile = new FilledProfile();
        foreach (var (option, command) in ((string, string)[])
            [
                ("--invitation-file", "register bob --invitation-file ''"),
                ("--password-file", "tail --password-file ''"),
                ("--profile", "tail --profile ''"),
            ])
        {
            var (code, _, error) = await FilledProfile.RunAsync(profile.Command(command).Replace(
                $"--profile '{profile.Folder}'", option == "--profile" ? "" : $"--profile '{profile.Folder}/x'"));
            Assert.Equal(
                $"chordchat: the value of {option} is empty; chordchat --help lists commands and options\n", error);
            Assert.Equal(CommandLine.Misused, code);
        }
    }

    /// <summary>README, "Exit codes": the parser does not know it, since a text may begin with a dash.</summary>
    [Fact]
    public async Task A_misspelt_option_of_send_is_a_wrong_argument_like_others()
    {
        using var profile = new FilledProfile();
        var (code, _, error) = await FilledProfile.RunAsync(profile.Command("send bob --jsn hello"));
        Assert.Equal(CommandLine.Misused, code);
        Assert.StartsWith("chordchat: send has no option '--jsn'", error, StringComparison.Ordinal);
    }

    /// <summary>It would print help and end as if the text had been sent.</summary>
    [Theory]
    [InlineData("send bob use /? for help", null)]
    [InlineData("send bob /h", null)]
    [InlineData("send bob what is -?", null)]
    [InlineData("send bob the switch is -h", "-h")]
    [InlineData("--json send bob --help me", "--help")]
    [InlineData("send --user send bob -h", "-h")]
    [InlineData("send --help", null)]
    [InlineData("send --json --help", null)]
    [InlineData("send --user alice --help", null)]
    [InlineData("send -h bob", null)]
    [InlineData("send bob -- -h", null)]
    [InlineData("history -h", null)]
    public void A_word_of_a_text_that_asks_for_help_sends_nothing_without_a_word(string typed, string? found)
    {
        var parsed = CommandLine.Build().Parse(typed.Split(' '), CommandLine.WordsAreWords);
        Assert.Equal(found, CommandLine.HelpInText(parsed));
        if (typed.EndsWith("/h", StringComparison.Ordinal) || typed.Contains('?', StringComparison.Ordinal))
            Assert.IsNotType<HelpAction>(parsed.Action);
    }

    [Fact]
    public async Task Help_inside_a_text_is_a_wrong_argument()
    {
        using var profile = new FilledProfile();
        var (code, output, error) = await FilledProfile.RunAsync(profile.Command("send bob the switch is -h"));
        Assert.Equal((CommandLine.Misused, ""), (code, output));
        Assert.StartsWith("chordchat: '-h' asks for help, so nothing was sent", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_with_a_name_that_nobody_can_have_is_an_error()
    {
        using var profile = new FilledProfile();
        foreach (var name in (string[])["''", "BOB"])
        {
            var (code, _, error) = await FilledProfile.RunAsync(profile.Command($"history {name}"));
            Assert.NotEqual(0, code);
            Assert.Contains("name", error, StringComparison.Ordinal);
        }
    }

    /// <summary>What the parser says ends in a full stop; the hint follows.</summary>
    [Fact]
    public async Task A_mistake_is_one_sentence_with_its_hint()
    {
        using var profile = new FilledProfile();
        var (code, _, error) = await FilledProfile.RunAsync(profile.Command("requests perhaps"));
        Assert.Equal(CommandLine.Misused, code);
        Assert.EndsWith("; chordchat --help lists commands and options\n", error, StringComparison.Ordinal);
        Assert.DoesNotContain(".;", error, StringComparison.Ordinal);
        Assert.DoesNotContain("  ", error, StringComparison.Ordinal);
        Assert.Equal(
            "it is full; make room", ScriptContext.InWords(new ChordChatException("x", "it is full.", "make room")));
    }

    [Fact]
    public async Task The_help_shows_no_number_that_means_all()
    {
        using var profile = new FilledProfile();
        var (_, output, _) = await FilledProfile.RunAsync(profile.Command("history --help"));
        Assert.Contains("only the newest N messages; without it, all", output, StringComparison.Ordinal);
        Assert.DoesNotContain("2147483647", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("history bob")]
    [InlineData("")]
    public async Task A_user_that_would_be_a_path_is_refused(string command)
    {
        using var profile = new FilledProfile("hello");
        var (code, _, error) = await FilledProfile.RunAsync(profile.Command($"--user ../x {command}"));
        Assert.Equal(CommandLine.Failed, code);
        Assert.StartsWith(
            "chordchat: '../x' cannot be a user name; use 1 to 32 characters", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MessageState.Waiting, "is still only on this machine after 15 s", "goes out by itself")]
    [InlineData(MessageState.Queued, "is at a node after 15 s", "until it is kept")]
    [InlineData(MessageState.Kept, "is kept on 2 of 3 disks, but was not delivered after 15 s", "when bob is online")]
    [InlineData(MessageState.Unsent, "is unsent", "chordchat resend")]
    public void A_message_that_is_late_says_how_far_it_came(MessageState state, string what, string hint)
    {
        var message = new ChatMessage(
            "id", "alice", "bob", "hello", DateTimeOffset.UnixEpoch, state, ["n1", "n2"], 3, 0, "");
        var late = SendCommand.NotInTime(message, TimeSpan.FromSeconds(15));
        Assert.Equal("not_in_time", late.Code);
        Assert.StartsWith($"the message to bob {what}", late.Message, StringComparison.Ordinal);
        Assert.Contains(hint, late.Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("n1 n2 n4", "n1, n2, n4; all answer")]
    [InlineData("n1", "n1, n2, n4; now 1 of 3 answer: n1")]
    [InlineData("", "n1, n2, n4; now 0 of 3 answer")]
    public void Where_says_which_copies_answer(string answering, string text) => Assert.Equal(
        text, Answers.Keepers(new MailboxMembers(
            "bob", "5a/7", 2, ["n1", "n2", "n4"], answering.Split(' ', StringSplitOptions.RemoveEmptyEntries))));

    [Fact]
    public void A_time_is_written_with_its_day()
    {
        var since = new DateTimeOffset(2026, 1, 5, 22, 30, 1, TimeSpan.Zero);
        Assert.Equal(
            $"bob is online since {since.ToLocalTime():yyyy-MM-dd HH:mm:ss}",
            QueryCommands.Line(new Presence("bob", true, since, "n1")));
        var said = Answers.Status(new Presence("bob", true, since, "n1"))[0].ToString();
        Assert.Contains($"since {since.ToLocalTime().Day} Jan", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Input_that_is_not_UTF_8_is_refused_after_the_lines_before_it()
    {
        using var input = new MemoryStream([.. "\uFEFFone\r\n\ntwo\n"u8, 0xff, 0xfe, (byte)'\n', .. "four"u8]);
        var read = new List<string>();
        var cause = Assert.Throws<ChordChatException>(() => read.AddRange(InputLines.Read(input).Select(line =>
        {
            read.Add(line);
            return line;
        }).ToList()));
        Assert.Equal(["one", "two"], read);
        Assert.Equal(("bad_text", "line 4 of the input is not UTF-8"), (cause.Code, cause.Message));
    }

    /// <summary>As a shell in another encoding gives it.</summary>
    [Fact]
    public void Bytes_that_are_not_UTF_8_are_no_argument_and_no_password()
    {
        Assert.True(Replaced.IsUtf8("gr\u00FC\u00DFe \uFFFD"u8));
        Assert.False(Replaced.IsUtf8([.. "gr"u8, 0xfc, .. "n"u8]));
        Assert.Null(Replaced.ArgumentIn(["send", "bob", "hello"]));
        Assert.Null(Replaced.ArgumentIn(["send", "bob", "meant: \uFFFD"])); // This process has no such argument.

        var before = Environment.GetEnvironmentVariable("CHORDCHAT_PASSWORD");
        try
        {
            Environment.SetEnvironmentVariable("CHORDCHAT_PASSWORD", "p\uFFFDss");
            var cause = Assert.Throws<ChordChatException>(
                () => new ScriptContext(false, null, [], null, null).PasswordAtHand);
            Assert.Equal("bad_password", cause.Code);
        }
        finally
        {
            Environment.SetEnvironmentVariable("CHORDCHAT_PASSWORD", before);
        }
    }

    [Theory]
    [InlineData("send bob --json true story", "bob,true,story")]
    [InlineData("send bob hello --json false", "bob,hello,false")]
    [InlineData("send bob hello --accept-identity false", "bob,hello,false")]
    public void A_switch_takes_no_word_of_the_text(string line, string words)
    {
        var parsed = CommandLine.Build().Parse(line.Split(' '), CommandLine.WordsAreWords);
        Assert.Empty(parsed.Errors);
        Assert.Equal(words.Split(','), parsed.CommandResult.GetValue<string[]>("user text"));
    }

    [Fact]
    public void A_switch_with_a_value_is_refused()
    {
        Assert.Equal("--json=maybe", Switch("send", "bob", "hello", "--json=maybe"));
        Assert.Equal("--accept-identity:no", Switch("send", "bob", "hello", "--accept-identity:no"));
        Assert.Null(Switch("send", "bob", "--json", "--", "--json=maybe"));
        Assert.Null(Switch("send", "bob", "--timeout=5", "hello"));

        static string? Switch(params string[] args) => CommandLine.SwitchWithValue(
            CommandLine.Build().Parse(args, CommandLine.WordsAreWords), args);
    }

    [Fact]
    public void A_line_without_end_is_refused_after_the_lines_before_it()
    {
        using var input = new EndlessLine("one\n"u8.ToArray());
        var read = new List<string>();
        var cause = Assert.Throws<ChordChatException>(() =>
        {
            foreach (var line in InputLines.Read(input))
                read.Add(line);
        });
        Assert.Equal(["one"], read);
        Assert.Equal("bad_text", cause.Code);
    }

    [Theory]
    [InlineData("first\nsecond", "first")]
    [InlineData("\uFEFFwith a mark\r\n", "with a mark")]
    [InlineData("", "")]
    public void A_password_file_gives_its_first_line(string content, string expected)
    {
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, Encoding.UTF8.GetBytes(content));
        Assert.Equal(expected, InputLines.First(path));
        File.WriteAllBytes(path, [.. Encoding.Latin1.GetBytes("gr\u00FCn"), (byte)'\n']);
        Assert.Null(InputLines.First(path));
        File.Delete(path);
    }

    /// <summary>As <c>/dev/zero</c> behind a line.</summary>
    private sealed class EndlessLine(byte[] before) : MemoryStream(before)
    {
        public override int Read(byte[] buffer, int offset, int count)
        {
            if (base.Read(buffer, offset, count) is > 0 and var read)
                return read;
            buffer.AsSpan(offset, count).Fill((byte)'a');
            return count;
        }
    }
}
