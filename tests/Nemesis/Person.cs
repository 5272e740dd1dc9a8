using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;

namespace ChordChat.Tests.Nemesis;

/// <summary>Somebody who writes to the others, reads, and comes and goes.</summary>
internal sealed class Person(string name, string home, IReadOnlyList<string> nodes, Record record, int seed)
    : IAsyncDisposable
{
    public const string Password = "seven green boats at noon";

    private readonly Random _random = new(seed);
    private readonly List<string> _doubted = [];
    private readonly Lock _turn = new();
    private readonly CancellationTokenSource _leaving = new();
    private Profile? _profile;
    private UnlockedProfile? _me;
    private ChatClient? _client;
    private Task _listening = Task.CompletedTask;

    public string Name => name;

    /// <summary>The name of the node that serves them now; null while none does.</summary>
    public string? Node => _client?.Node;

    public async Task RegisterAsync()
    {
        _profile = Profile.Open(Path.Combine(home, "profiles", name));
        using var accounts = new Accounts(_profile, Search());
        await accounts.GreetAsync();
        accounts.Agree();
        _me = await accounts.RegisterAsync(name, Password);
        _profile.RequestsWait = false; // They read whatever comes.
        Connect();
    }

    /// <summary>Until told to stop: sends, reads, and (if they wander) comes back at another node now and
    /// then.</summary>
    public async Task LiveAsync(IReadOnlyList<string> others, Pace pace, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            if (pace.Wanders && _random.Next(60) == 0)
            {
                await LeaveAsync();
                Connect();
            }

            Send(others[_random.Next(others.Count)]);
            Read();
            await Task.Delay(_random.Next(pace.PauseMinMs, pace.PauseMaxMs), CancellationToken.None);
        }
    }

    /// <summary>Writes down what came and what became of what was sent.</summary>
    public void Read()
    {
        _client!.History.ShowUnread(
            1_000, (message, _) => record.Mail.Shown(
                name, message.Id, message.MissingBefore + message.ElsewhereBefore));
    }

    public Task<bool> FlushAsync(TimeSpan patience) => _client!.FlushAsync(patience);

    /// <summary>Where somebody's mailbox lies, as their node says; null when it does not.</summary>
    public Task<MailboxMembers?> WhereAsync(string user) => AskAsync(lookup => lookup.WhereAsync(user));

    /// <summary>Whether somebody is online, as their node says; null when it does not.</summary>
    public async Task<bool?> IsOnlineAsync(string user) =>
        (await AskAsync(lookup => lookup.StatusAsync(user)))?.Online;

    /// <summary>The conversation with somebody, as shown here.</summary>
    public IReadOnlyList<ChatMessage> TranscriptWith(string other) => [.. _client!.History.With(other)];

    /// <summary>Looks at everything once more: events of an ended session may have been missed.</summary>
    public void Settle()
    {
        Read();
        foreach (var message in _client!.History.Chats().SelectMany(chat => _client.History.With(chat.Peer)))
            Note(message);
    }

    /// <summary>What the client took for forged when it came first; there is none here.</summary>
    public IReadOnlyList<string> Doubted => [.. _doubted, .. _client!.Doubted];

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
            await LeaveAsync();
        _me?.Dispose();
        _profile?.Dispose();
        _leaving.Dispose();
    }

    private async Task<T?> AskAsync<T>(Func<Lookup, Task<T>> question) where T : class
    {
        try
        {
            return await question(_client!.Lookup);
        }
        catch (ChordChatException)
        {
            return null;
        }
    }

    private NodeSearch Search() => new()
    {
        Explicit = [.. nodes.OrderBy(_ => _random.Next())],
        AskNetwork = false,
    };

    private void Connect()
    {
        var client = _client = new ChatClient(_me!, Search());
        client.Start();
        _listening = Task.Run(async () =>
        {
            await foreach (var happened in client.Events.ReadAllAsync(_leaving.Token))
                if (happened is ClientEvent.Changed changed)
                    Note(changed.Message);
                else if (happened is ClientEvent.Ended ended)
                    record.Count(ended.Reason.Code == "logged_out" ? "ended logged_out" : $"ended {ended.Reason}");
                else
                {
                    record.Count(happened.GetType().Name);
                    if (happened is ClientEvent.Disconnected or ClientEvent.Searching)
                        record.Lost(name);
                }
        });
    }

    private async Task LeaveAsync()
    {
        _doubted.AddRange(_client!.Doubted);
        await _client.DisposeAsync();
        await Task.WhenAny(_listening, Task.Delay(100));
    }

    private void Send(string to)
    {
        lock (_turn)
        {
            var node = Node;
            record.Sent(name, to, _client!.Send(to, $"from {name} at {record.Now}"), node);
        }
    }

    private void Note(ChatMessage message)
    {
        if (message.From != name)
            return;
        if (message is { State: MessageState.Kept, Copies.Count: > 0 })
            record.JudgeCopies(message.Id, message.Copies, message.Of);
        lock (_turn)
            if (message.State == MessageState.Refused)
                record.Mail.Refused(message.To, message.Id);
            else if (message.State >= MessageState.Kept)
                record.Kept(message.To, message.Id, hasArrived: message.State > MessageState.Kept);
    }
}
