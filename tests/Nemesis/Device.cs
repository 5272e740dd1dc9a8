using System.Text.Json;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using ChordChat.Tests.Checkers;

namespace ChordChat.Tests.Nemesis;

/// <summary>One machine of a guest: a profile, and the programs that send and show there.</summary>
internal sealed class Device(string owner, string name, ClientPlace place, Record record)
{
    /// <summary>Errors after which a person simply tries again.</summary>
    private static readonly string[] Passing =
        ["unavailable", "no_node", "unreachable", "not_in_time", "busy", "throttled"];

    /// <summary>Errors of one line, which end no program that sends and which nobody should see here.</summary>
    private static readonly string[] OfOneLine = ["refused", "unknown_user", "key_conflict", "identity_changed"];

    private readonly Queue<string> _unanswered = new();
    private ClientProgram? _tail;
    private ClientProgram? _sender;
    private Screen? _screen;
    private int _count;
    private bool _wasRead;
    private Action? _onLine;

    public string Name => name;
    public string Folder => place.Folder;

    /// <summary>Whether somebody began to log in elsewhere: from then on this one may be told to end.</summary>
    public bool IsReplaced { get; set; }

    /// <summary>Whether nothing waits for an answer.</summary>
    public bool IsAnswered
    {
        get
        {
            lock (_unanswered)
                return _unanswered.Count == 0;
        }
    }

    /// <summary>Runs a command to its end.</summary>
    /// <returns>Its exit code and what it said to standard error.</returns>
    public Task<(int Code, string Error)> RunAsync(params string[] command) =>
        new ClientProgram(place, command, _ => { }).EndedAsync();

    /// <summary>Starts what does not run, and judges why it ended.</summary>
    public async Task KeepRunningAsync()
    {
        if (_tail is not { IsUp: true })
        {
            await JudgeEndAsync(_tail);
            var screen = _screen = record.Screens.Begin(owner, name);
            _tail = new(place, ["tail"], line => Show(screen, line));
        }

        if (_sender is not { IsUp: true })
        {
            await JudgeEndAsync(_sender);
            lock (_unanswered)
                _unanswered.Clear(); // Whether those were stored, the history says.
            _sender = new(place, ["send", "-", "--timeout", "600"], Answer);
        }
    }

    /// <summary>Types a message. Whether it gets into the outbox depends on how long the program lives.</summary>
    public Task SendAsync(string to)
    {
        var text = $"{owner}.{name}.{++_count}";
        record.Screens.Sent(to, $"{name} of {owner}", text);
        lock (_unanswered)
            _unanswered.Enqueue(text);
        return _sender!.WriteLineAsync($"{to} {text}");
    }

    /// <summary>Kills the program that shows messages, the one that sends, or both.</summary>
    public async Task KillAsync(bool tail, bool sender)
    {
        if (tail && _tail is not null)
        {
            record.Screens.Killed(_screen!);
            await _tail.KillAsync();
        }

        if (sender && _sender is not null)
            await _sender.KillAsync();
    }

    /// <summary>Asks both to end.</summary>
    public async Task StopAsync()
    {
        foreach (var program in (ClientProgram?[])[_sender, _tail])
            if (program is { IsUp: true })
                await program.StopAsync();
        foreach (var program in (ClientProgram?[])[_sender, _tail])
            await JudgeEndAsync(program);
    }

    /// <summary>Waits until something more is shown, or for so long.</summary>
    public async Task NextLineAsync(TimeSpan limit)
    {
        var next = new TaskCompletionSource();
        _onLine = next.SetResult;
        await Task.WhenAny(next.Task, Task.Delay(limit));
        _onLine = null;
    }

    /// <summary>Writes down, once, what the profile tells when no program uses it any more.</summary>
    public void ReadHistory()
    {
        if (_wasRead || !Profile.ExistsIn(Folder))
            return;
        _wasRead = true;
        using var profile = Profile.Open(Folder);
        using var me = profile.Unlock(Person.Password);
        var history = History.Of(me);
        var unread = history.Unread(int.MaxValue).Select(message => message.Id).ToHashSet();
        foreach (var message in history.Chats().SelectMany(chat => history.With(chat.Peer)))
            if (message.From != owner)
                record.Screens.Remembered(owner, name, message.Text, unread.Contains(message.Id));
            else if (message.State is MessageState.Delivered or MessageState.Read)
                record.Screens.Delivered(message.Text);
            else if (message.State == MessageState.Kept)
                record.Screens.Kept(message.Text);
            else
                record.Count($"left on a device: {message.State}");
    }

    private void Show(Screen screen, JsonElement line)
    {
        if (!line.TryGetProperty("text", out var text))
            return;
        var missing = line.TryGetProperty("missing", out var count) ? count.GetInt32() : 0;
        var saysLate = line.TryGetProperty("late", out _);
        record.Screens.Shown(screen, text.GetString()!, missing, saysLate);
        if (saysLate)
            record.Count("guest was shown a late message");
        Interlocked.Exchange(ref _onLine, null)?.Invoke();
    }

    /// <summary>Answers come in the order of the lines.</summary>
    private void Answer(JsonElement line)
    {
        if (!line.TryGetProperty("state", out var state))
            return;
        string? text;
        lock (_unanswered)
            _unanswered.TryDequeue(out text);
        if (text is null || state.GetString() is not ("kept" or "delivered" or "read"))
            return;
        var (id, to) = (line.GetProperty("id").GetString()!, line.GetProperty("to").GetString()!);
        string[] copies = [.. line.GetProperty("copies").EnumerateArray().Select(copy => copy.GetString()!)];
        if (state.GetString() == "kept")
        {
            record.JudgeCopies(id, copies, line.GetProperty("of").GetInt32());
            record.ToldKept(to, id, text);
        }

        record.Screens.Kept(text);
    }

    /// <summary>A client goes on by itself until it is told to end.</summary>
    private async Task JudgeEndAsync(ClientProgram? program)
    {
        if (program is null)
            return;
        var (code, error) = await program.EndedAsync();
        if (!IsReplaced && OfOneLine.FirstOrDefault(one => Has(error, one)) is { } bad)
            record.Judge($"{program.Command} of {owner} on {name} said {bad}: {error}");
        if (program.WasEnded)
            return;
        record.Count($"{program.Command} ended with {code}");
        if (!IsReplaced && code != 0 && !Passing.Any(one => Has(error, one)))
            record.Judge($"{program.Command} of {owner} on {name} ended with {code}: {error}");

        static bool Has(string error, string code) => error.Contains($"\"{code}\"", StringComparison.Ordinal);
    }
}
