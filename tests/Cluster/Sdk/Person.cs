using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>One user with a profile in a temporary folder.</summary>
internal sealed class Person : IAsyncDisposable
{
    public const string Password = "five random words suffice";
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Profile _profile;
    private readonly UnlockedProfile _unlocked;
    private readonly List<ClientEvent> _seen = [];
    private bool _isGone;

    private Person(Profile profile, UnlockedProfile unlocked, NodeSearch search)
    {
        (_profile, _unlocked) = (profile, unlocked);
        profile.RequestsWait = false; // They read whatever comes; tests of requests turn it on.
        Client = new ChatClient(unlocked, search);
    }

    public ChatClient Client { get; }

    public string Folder => _profile.Folder;

    /// <summary>Whether the client has found out that its profile is a copy.</summary>
    public bool IsCopied => _profile.IsCopied;

    /// <summary>How many messages are here and wait for an earlier one.</summary>
    public int HeldCount => _profile.Store.Read(ArrivalTable.Held).Values.Sum();

    public static NodeSearch Search(params FakeNode[] nodes) => Search([.. nodes.Select(node => node.Address)]);

    public static NodeSearch Search(params string[] addresses) =>
        new() { Explicit = [.. addresses], AskNetwork = false };

    public static string NewFolder() =>
        Path.Combine(Path.GetTempPath(), "chordchat-tests", Guid.NewGuid().ToString("n"));

    private const int TriesMax = 10;

    public static Task<Person> RegisterAsync(string user, params FakeNode[] nodes) =>
        RegisterAsync(user, Search(nodes), nodes[0].Cluster.KeySource);

    public static async Task<Person> RegisterAsync(string user, NodeSearch search, KeySource? keys = null)
    {
        var profile = Profile.Open(NewFolder());
        try
        {
            using var accounts = new Accounts(profile, search) { Keys = keys ?? KeySource.New };
            await accounts.GreetAsync();
            accounts.Agree();
            for (var tries = 1; ; tries++)
                try
                {
                    return new Person(profile, await accounts.RegisterAsync(user, Password), search);
                }
                catch (ChordChatException cause) when (cause.Code == "undecided" && tries < TriesMax)
                {
                    // A busy machine let the deadline pass; the next try finishes what this one began.
                }
        }
        catch
        {
            profile.Dispose();
            throw;
        }
    }

    public static Task<Person> LogInAsync(string user, string folder, FakeNode node, string password = Password) =>
        LogInAsync(user, folder, Search(node), password, node.Cluster.KeySource);

    public static async Task<Person> LogInAsync(
        string user, string folder, NodeSearch search, string password = Password, KeySource? keys = null)
    {
        var profile = Profile.Open(folder);
        try
        {
            using var accounts = new Accounts(profile, search) { Keys = keys ?? KeySource.New };
            if (!profile.HasDevice)
                await accounts.GreetAsync();
            accounts.Agree();
            return new Person(profile, await accounts.LogInAsync(user, password), search);
        }
        catch
        {
            profile.Dispose();
            throw;
        }
    }

    /// <summary>Opens a profile with the keys that are in it.</summary>
    public static Person Open(string folder, FakeNode node)
    {
        var profile = Profile.Open(folder);
        return new Person(profile, profile.Unlock(Password), Search(node));
    }

    public async Task<Person> OnlineAsync()
    {
        Client.Start();
        await SeeAsync<ClientEvent.Connected>();
        return this;
    }

    /// <summary>Waits for the next event of this kind that was not waited for before.</summary>
    public async Task<T> SeeAsync<T>(Func<T, bool>? which = null) where T : ClientEvent
    {
        using var deadline = new CancellationTokenSource(Patience);
        try
        {
            while (true)
            {
                if (_seen.OfType<T>().FirstOrDefault(e => which?.Invoke(e) ?? true) is { } found)
                {
                    _seen.Remove(found);
                    return found;
                }

                _seen.Add(await Client.Events.ReadAsync(deadline.Token));
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"no {typeof(T).Name}; seen: {string.Join(", ", _seen)}");
        }
    }

    /// <summary>Waits until this many messages have arrived and not been read.</summary>
    public async Task<List<string>> ReadAsync(int count)
    {
        var texts = new List<string>();
        var until = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (texts.Count < count)
        {
            var next = Client.History.NextChange;
            Client.History.ShowUnread(1000, (message, _) => texts.Add(message.Text));
            if (texts.Count >= count)
                break;
            Assert.True(Environment.TickCount64 < until, $"only {texts.Count} of {count} messages arrived");
            await Task.WhenAny(next, Task.Delay(100));
        }

        return texts;
    }

    /// <summary>Waits for what shows only when it is looked for.</summary>
    public async Task UntilAsync(Func<bool> condition)
    {
        var until = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < until, "it did not come true in time");
            await Task.WhenAny(Client.History.NextChange, Task.Delay(20));
        }
    }

    public Task<ChatMessage> WaitAsync(string id, MessageState state) => Client.History.WaitAsync(id, state, Patience);

    /// <summary>May be called twice.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isGone)
            return;
        _isGone = true;
        await Client.DisposeAsync();
        _unlocked.Dispose();
        _profile.Dispose();
    }
}
